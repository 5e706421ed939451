"""What turns the sources into what people open: notebooks, web site, slides."""
