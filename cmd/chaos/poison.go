package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// poisonWatcher hears from workers when they try a command that fails unexpectedly, and how long
// that takes.
type poisonWatcher struct {
	conn  net.PacketConn
	ended chan struct{}
}

func newPoisonWatcher(ctx context.Context, j *journal) (*poisonWatcher, error) {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for poison: %w", err)
	}
	w := &poisonWatcher{conn: conn, ended: make(chan struct{})}
	go w.run(j)
	return w, nil
}

func (w *poisonWatcher) addr() string { return w.conn.LocalAddr().String() }

func (w *poisonWatcher) run(j *journal) {
	defer close(w.ended)
	text := make([]byte, 64)
	for {
		n, _, err := w.conn.ReadFrom(text)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if takes, err := time.ParseDuration(string(text[:n])); err == nil {
			j.poisoned(time.Now(), takes)
		}
	}
}

func (w *poisonWatcher) close() error {
	err := w.conn.Close()
	<-w.ended
	return err
}
