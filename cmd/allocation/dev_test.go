package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// devProgram is `allocation dev` in this process, on free ports.
type devProgram struct {
	t     *testing.T
	out   lockedBuffer
	stop  context.CancelCauseFunc
	ended chan int
}

func startDev(t *testing.T, dir string) *devProgram {
	t.Helper()
	ctx, stop := context.WithCancelCause(t.Context())
	d := &devProgram{t: t, stop: stop, ended: make(chan int, 1)}
	p := &program{in: strings.NewReader(""), out: &d.out, err: &d.out}
	go func() {
		d.ended <- p.run(ctx, []string{"dev", "--dir", dir, "--kafka-addr=127.0.0.1:0", "--postgres-port=0", "--http-addr=127.0.0.1:0"})
	}()
	t.Cleanup(func() { stop(errSignal) })
	require.Eventually(t, func() bool { return strings.Contains(d.out.String(), "ready; Ctrl-C") }, 60*time.Second, 20*time.Millisecond, "%s", &d.out)
	return d
}

// end stops it as Ctrl-C does.
func (d *devProgram) end() {
	d.t.Helper()
	began := time.Now()
	d.stop(errSignal)
	require.Equal(d.t, exitDone, <-d.ended, d.out.String())
	require.Less(d.t, time.Since(began), 10*time.Second)
	require.Contains(d.t, d.out.String(), "stopped; the data is in")
}

// exported is the value of a variable in what the user is told to paste.
func (d *devProgram) exported(name string) string {
	d.t.Helper()
	found := regexp.MustCompile(`export ` + name + `='([^']*)'`).FindStringSubmatch(d.out.String())
	require.NotNil(d.t, found, "no %s in %s", name, &d.out)
	return found[1]
}

func TestDev_keepsItsData(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	t.Setenv("KAFKA_BROKERS", "")
	dir := devFolder(t)
	dev := startDev(t, dir)
	brokers := "--kafka-brokers=" + dev.exported("KAFKA_BROKERS")
	runProgram(t, "send", "CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", brokers).requireDone(t)
	t.Setenv("DATABASE_URL", dev.exported("DATABASE_URL"))
	require.Eventually(t, func() bool { return runProgram(t, "show", "batch", "b1").code == exitDone }, 10*time.Second, 20*time.Millisecond)
	require.NotContains(t, dev.out.String(), "level=", "logs stay out of the text")
	dev.end()
	logged, err := os.ReadFile(filepath.Join(dir, workerLog))
	require.NoError(t, err)
	require.Contains(t, string(logged), "worker starts")

	dev = startDev(t, dir)
	brokers = "--kafka-brokers=" + dev.exported("KAFKA_BROKERS")
	runProgram(t, "send", "Allocate", "orderid=o1", "sku=CHAIR", "qty=20", brokers).requireDone(t)
	t.Setenv("DATABASE_URL", dev.exported("DATABASE_URL"))
	require.Eventually(t, func() bool {
		o := runProgram(t, "show", "order", "o1")
		return strings.Contains(o.out, "gets 20 of batch b1")
	}, 10*time.Second, 20*time.Millisecond)
	dev.end()
}

func TestDev_addressInUse(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	addr := listener.Addr().String()
	for _, flag := range []string{"--http-addr", "--kafka-addr"} {
		args := []string{"dev", "--dir", devFolder(t), "--kafka-addr=127.0.0.1:0", "--postgres-port=0", "--http-addr=127.0.0.1:0", flag + "=" + addr}
		o := runProgram(t, args...)
		require.Equal(t, exitFailed, o.code)
		require.Contains(t, o.err, "is in use by another program")
		require.Contains(t, o.err, flag)
	}
}

// devFolder is a folder that Postgres' own user can enter, unlike a test's.
func devFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "allocation-dev-*") //nolint:usetesting // only its owner can enter a test's own
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
