module my-backup

go 1.21
