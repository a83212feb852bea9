"""The rules: one file each, in the folder of the link of the chain at which the fault lies."""
