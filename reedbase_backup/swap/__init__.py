"""Put a restored tree in place of the live one, so that a kill leaves all old or all new.

A restore's commit, step by step; T is a random token:

1. `.reedbackup-staging-T/` is made in the base, with new/ and old/ (`working_folders`).
   The archive is written to new/, verified and made durable (`extract`), but for files
   that are live as they were backed up, as far as can be seen without reading them.
2. All tables' locks are taken. Where the live trees are in every entry what is to come,
   they are made durable, and that is all (`in_place`). Else those live files are linked into
   new/, read through their new names, held against the archive and made durable (`links`).
   Lock files that writers may be waiting for are linked, too (`lock_preservation`). Last of
   all, the live files are looked at once more; where one is another by now, all begins again
   without it.
3. `plan` compares the live trees with new/: which names are exchanged, what must stay in
   place and only gets new attributes. All of that is the `journal`: written, synced.
4. The folder is renamed to `.reedbackup-commit-T/`. From now on its journal counts.
5. `steps` does what the journal says. For each name the live one moves to old/, the
   new one to its place; modes, owners and times follow; then all folders are synced.
   Whether a step is done is seen on the disk, so that each may be done again.
6. The folder is renamed back to `.reedbackup-staging-T/`: it is not needed any more,
   and is removed.

A kill leaves, for the next create or restore, which begins with `transaction.recover`:

    in 1 to 3       a staging folder beside the old trees, of whose files some have a
                    second name in it: it is removed, and no content with it
    in 4 to 5       a commit folder: its journal's steps are done, so that all is new;
                    but where none is yet, writers may have changed the old trees since,
                    and with them what is linked from them, so that all stays old
    in 6            a staging folder beside new trees: it is removed

An error or interrupt, other than a kill, in 1 to 5 is handled at once by
`Transaction.abandon`: the journal is renamed to `journal.undo`, its steps are undone
by the same code, and the folder is removed as in 6. A kill on that way leaves the
renamed journal, whose steps `recover` undoes to their end: all is old. So does a disk
on which one kind of call fails for good. The journal is turned through its open
folder, for which nothing has to be looked up; where it cannot be renamed, a folder
`undo` beside it says the same. What the next call will do, the error says.

Where tables/ or a folder in it cannot be moved, as a mount point, it stays and its
content is exchanged, through a working folder inside it. Live folders are touched
for that in step 1 already, so a journal that says to undo it counts from there on,
and step 3 replaces it by the journal of step 5 in one rename. While such a working
folder is not there after a kill, as before somebody mounts it again, every create and
restore is refused. A folder that was removed is made again for what comes back.

Nothing in memory decides anything, and no folder is believed that others could have
planted (`working_folders.is_ours`, `working_folders.trusted_journal`).
"""
