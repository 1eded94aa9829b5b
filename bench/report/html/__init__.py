"""The page as HTML: template, tables and figures."""
