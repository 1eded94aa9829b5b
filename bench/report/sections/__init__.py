"""The sections of the report, one module per topic: `TITLE`, and `build(task)` that returns text, tables and charts."""
