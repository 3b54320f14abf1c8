package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/elumenta/elumenta/internal/postgres"
)

// postgresUse is what a Postgres has used since it was started.
type postgresUse struct {
	cpu time.Duration // of all its processes that are left
	log int64         // bytes of write-ahead log
}

func useOf(ctx context.Context, cluster *postgres.Cluster) (u postgresUse, err error) {
	conn, err := pgx.Connect(ctx, cluster.URL("postgres"))
	if err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := conn.QueryRow(ctx, `SELECT (pg_current_wal_lsn() - '0/0')::bigint`).Scan(&u.log); err != nil {
		return u, err
	}
	var postmaster string
	if err := conn.QueryRow(ctx, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)`).Scan(&postmaster); err != nil {
		return u, err
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return u, err
	}
	for _, path := range stats {
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		if parent(pid) == postmaster {
			u.cpu += processorTime(strconv.Itoa(pid))
		}
	}
	return u, nil
}

// parent is the process that started another, or nothing if that has ended.
func parent(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return ""
	}
	return fields[1]
}
