"""Execute every notebook headlessly, each in a process of its own, and report."""
