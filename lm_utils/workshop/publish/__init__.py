"""Write what is read: notebooks, README, cards, gallery, site, slides."""
