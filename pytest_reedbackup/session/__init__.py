"""One run of pytest with the plugin, from its options to its end."""
