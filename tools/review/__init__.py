"""What a change does to the results, as Markdown for a reviewer who has not seen the code.

`python -m tools.review BASE [HEAD]` compares two revisions, or BASE with the working tree.
Whatever reads a corrupt file of either side raises a UserError that names both.
"""
