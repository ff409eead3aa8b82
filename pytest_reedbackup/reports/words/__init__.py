"""Words of reports, whatever they are written into: sentences, Markdown, text of strangers."""
