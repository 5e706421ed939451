"""Write what is read: notebooks, README, cards, gallery, site, slides.

`site` builds the web site from the sources in `site/`. Nothing here trains or decides; executing is for `run_all`.
"""
