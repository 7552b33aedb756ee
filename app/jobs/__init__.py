"""Jobs without HTTP: accepts, watches, repairs, ends and removes them."""
