package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// settling is how long after an outage its effects may still come: a node sees that its lease is over, and cancels.
const settling = 2 * time.Second

// play lets a track's events happen until load ends. Each brings back what it took away.
func (r *run) play(load context.Context, track []event) {
	for _, e := range track {
		if !pause(load, e.after) {
			return
		}
		if err := r.happen(load, e); err != nil {
			r.record.fault(checkProgram, "%s: %v", e.kind, err)
			return
		}
	}
}

func (r *run) happen(load context.Context, e event) error {
	n := r.nodes[e.node]
	from := time.Now()
	switch e.kind {
	case killNow, killAtAnswer:
		return r.kill(load, n, e)
	case jumpClock, jumpMonth:
		err := n.clock.play(e, r.world.began)
		r.record.incident(incident{e.kind, e.node, from, time.Now()})
		return err
	case topUp:
		return r.topUp(e)
	case restartDB:
		return r.restartPostgres(load, e)
	case shutOut:
		g := r.gates[e.node]
		g.cut(true)
		pause(load, e.lasts)
		g.open()
	case stallDB:
		r.gates[e.node].stall(load, e.lasts, false)
	case loseAnswers:
		r.gates[e.node].stall(load, 20*time.Millisecond, true)
	case cutConnections:
		if err := r.endConnections(load); err != nil && load.Err() == nil {
			return err
		}
	}
	r.record.incident(incident{e.kind, e.node, from, time.Now().Add(settling)})
	return nil
}

// explains reports whether a call that the provider finished may end uncharged for it. Connections that are cut, and
// clocks that are set, are no excuse.
func (i *incident) explains() bool {
	return slices.Contains([]eventKind{killNow, killAtAnswer, restartDB, shutOut, stallDB}, i.kind)
}

// kill ends a node, at once or when a client has just seen an answer to its end, and starts it again.
func (r *run) kill(load context.Context, n *node, e event) error {
	if e.kind == killAtAnswer {
		n.atAnswer.Store(true)
		timer := time.NewTimer(1500 * time.Millisecond)
		select {
		case <-n.killed:
		case <-timer.C:
		}
		if timer.Stop(); n.atAnswer.CompareAndSwap(true, false) {
			n.kill(killNow)
		}
		select { // it may have been both
		case <-n.killed:
		default:
		}
	} else {
		n.kill(killNow)
	}
	pause(load, e.lasts)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(load), startLimit)
	defer cancel()
	return n.start(ctx)
}

func (r *run) restartPostgres(load context.Context, e event) error {
	from := time.Now()
	if err := r.cluster.Kill(); err != nil {
		return err
	}
	pause(load, e.lasts)
	err := r.cluster.Start()
	r.record.incident(incident{e.kind, -1, from, time.Now().Add(settling)})
	return err
}

// endConnections lets Postgres end half of its connections.
func (r *run) endConnections(ctx context.Context) error {
	db, err := sql.Open("pgx", r.database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err = db.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5`)
	return err
}

// topUp runs the program's command, beside the servers. Its failure is no fault: the database may be away.
func (r *run) topUp(e event) error {
	ctx, cancel := context.WithTimeout(context.Background(), clientPatience)
	defer cancel()
	id := string(r.world.accounts[e.account].id)
	out, err := r.nodes[0].command(ctx, "accounts", "topup", id, strconv.FormatInt(e.tokens, 10)).CombinedOutput()
	r.record.topup(granted{e.account, e.tokens, err == nil})
	if err != nil && r.plan.engine == engineSQLite {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
