"""Who does a row's job: implementations, tools that people know, and system calls alone."""
