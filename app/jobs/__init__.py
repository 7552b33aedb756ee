"""The service layer of jobs: accepts, watches, repairs, ends and removes them."""
