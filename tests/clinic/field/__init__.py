"""Programs re-created from people's reports, with their repaired twins: half of a set by an independent author.

Names and labels are the author's, so that scores stay comparable: `<id>__bad` and `<id>__ok` are twins, `h_*` is
healthy, `t_*` is a hand-written loop. The other half, which nobody here has, judges the tool afterwards.
"""
