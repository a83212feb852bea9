# Sourced by demo/run and tests/run: makes a virtual environment once, and again when its requirements change.

say() { printf '\033[1m== %s\033[0m\n' "$*"; }

# as_root COMMAND...: runs a command as root, or says what a person has to do.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else echo "This needs root once: $*" >&2; return 1; fi
}

# apt_install PACKAGE...: installs Debian packages.
apt_install() {
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Please install: $* (no apt-get on this machine)" >&2; return 1
  fi
  as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# make_environment FOLDER REQUIREMENTS [ALONE]: a virtual environment that holds this package (as it stands),
# REQUIREMENTS, and what ALONE lists, without what that depends on.
make_environment() {
  local folder=$1 requirements=$2 alone=${3:-/dev/null} python=${PYTHON:-python3} stamp
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || {
    echo "Python 3.10 or newer is needed; '$python' is $("$python" --version 2>&1). Set PYTHON=/path/to/python3." >&2; return 1; }
  # Of pyproject.toml, what pip reads: not the settings of tools.
  stamp=$(sed -n '/^\[tool\.ruff/q;p' pyproject.toml | cat "$requirements" "$alone" setup.py - | cksum)
  if [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
    say "Python environment in $folder (once; about a minute)"
    rm -rf "$folder"
    "$python" -m venv "$folder" 2>/dev/null || { apt_install python3-venv && "$python" -m venv "$folder"; } || return 1
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" || return 1
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$alone" || return 1
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . || return 1
    echo "$stamp" > "$folder/stamp"
  fi
}
