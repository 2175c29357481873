"""What people see: HTML, CSS and JavaScript in files of their own, filled in on request."""
