module github.com/elumenta/elumenta/client

go 1.24
