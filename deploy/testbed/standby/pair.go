// Package standby runs a Postgres primary with a streaming, asynchronous standby, each behind a
// proxy, and fails over from one to the other.
package standby

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"

	"allocation/deploy/local"
	"allocation/deploy/testbed/await"
	"allocation/deploy/testbed/proxy"
)

// Pair is two places for a server, of which one has the primary. Its methods that change something
// are for one goroutine at a time.
type Pair struct {
	settings map[string]string

	mu      sync.Mutex
	places  [2]*place
	primary int
}

// place is where a server runs, again and again.
type place struct {
	dir     string
	port    int
	clients *proxy.Proxy // clients come by it
	stream  *proxy.Proxy // the other place's server streams from here by it
	server  *local.Postgres
}

// Open makes a primary and a standby of it in an empty folder. The settings are postgresql.conf's.
func Open(ctx context.Context, dir string, settings map[string]string) (*Pair, error) {
	p := &Pair{settings: settings}
	for i := range p.places {
		made, err := newPlace(filepath.Join(dir, "postgres-"+strconv.Itoa(i)))
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.places[i] = made
	}
	err := p.start(ctx, 0)
	if err == nil {
		err = p.Follow(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func newPlace(dir string) (*place, error) {
	port, err := local.FreePort()
	if err != nil {
		return nil, err
	}
	clients, err := proxy.New()
	if err != nil {
		return nil, err
	}
	stream, err := proxy.New()
	if err != nil {
		return nil, errors.Join(err, clients.Close())
	}
	clients.Lead(address(port))
	stream.Lead(address(port))
	return &place{dir: dir, port: port, clients: clients, stream: stream}, nil
}

func address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// start starts the server of a place on the data that is there.
func (p *Pair) start(ctx context.Context, i int) error {
	here, there := p.places[i], p.places[1-i]
	host, port, _ := strings.Cut(there.stream.Addr(), ":")
	settings := map[string]string{
		"max_connections": "200",
		// In the data folder, and not where a killed server would leave it.
		"dynamic_shared_memory_type": "mmap",
		"wal_keep_size":              "512MB",
		"max_wal_size":               "512MB",
		"hot_standby":                "on",
		"primary_conninfo":           "host=" + host + " port=" + port + " user=postgres",
		// A standby asks again soon for what it misses.
		"wal_retrieve_retry_interval": "500ms",
		// Tests look at the service's tables by their names alone.
		"search_path": "allocation, public",
	}
	maps.Copy(settings, p.settings)
	server, err := local.StartPostgres(ctx, local.PostgresOptions{Dir: here.dir, Port: here.port, Settings: settings, Output: os.Stderr})
	if err == nil {
		here.server = server
	}
	return err
}

func (p *Pair) now() (primary, standby *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.places[p.primary], p.places[1-p.primary]
}

// URL is where a database of the primary is now, past the proxies.
func (p *Pair) URL(user, database string) string {
	primary, _ := p.now()
	return "postgres://" + user + "@" + address(primary.port) + "/" + database + "?sslmode=disable"
}

// ProxiedURL names both places, by their proxies: for clients that find the primary themselves, now
// and after a failover.
func (p *Pair) ProxiedURL(user, database string, options url.Values) string {
	hosts := p.places[0].clients.Addr() + "," + p.places[1].clients.Addr()
	return "postgres://" + user + "@" + hosts + "/" + database + "?sslmode=disable&target_session_attrs=read-write&" + options.Encode()
}

// Proxies are those of clients.
func (p *Pair) Proxies() []*proxy.Proxy {
	return []*proxy.Proxy{p.places[0].clients, p.places[1].clients}
}

// Stop ends the primary: SIGINT in order, SIGQUIT at once, SIGKILL as by a power cut.
func (p *Pair) Stop(ctx context.Context, signal syscall.Signal) error {
	primary, _ := p.now()
	return primary.server.Shutdown(ctx, signal)
}

// Start starts the primary where it was stopped, or ended by itself.
func (p *Pair) Start(ctx context.Context) error {
	primary, _ := p.now()
	if err := primary.server.Shutdown(ctx, syscall.SIGQUIT); err != nil {
		return err
	}
	return p.start(ctx, p.primary)
}

// Running reports whether the primary's process lives.
func (p *Pair) Running() bool {
	primary, _ := p.now()
	return primary.server.Running()
}

// Lag keeps everything from the standby that the primary commits from now on, until the failover.
func (p *Pair) Lag() {
	primary, _ := p.now()
	primary.stream.Hold(proxy.Up, proxy.Down)
}

// FailOver kills the primary for good and makes the standby the primary, with what it has received.
// Nobody can write to both.
func (p *Pair) FailOver(ctx context.Context) error {
	primary, standby := p.now()
	if err := primary.server.Shutdown(ctx, syscall.SIGKILL); err != nil {
		return err
	}
	primary.stream.Cut()
	primary.stream.Release()
	conn, err := pgx.Connect(ctx, standby.server.URL())
	if err != nil {
		return fmt.Errorf("promote the standby: %w", err)
	}
	defer conn.Close(ctx)
	var promoted bool
	if err := conn.QueryRow(ctx, "select pg_promote(true, 60)").Scan(&promoted); err != nil || !promoted {
		return fmt.Errorf("promote the standby: done %t: %w", promoted, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.primary = 1 - p.primary
	return nil
}

// Follow makes a new standby of the primary, where the old one was, or the primary that was killed.
func (p *Pair) Follow(ctx context.Context) error {
	primary, standby := p.now()
	if standby.server != nil {
		if err := standby.server.Shutdown(ctx, syscall.SIGKILL); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(standby.dir); err != nil {
		return err
	}
	if err := primary.server.CopyTo(ctx, standby.dir); err != nil {
		return err
	}
	return p.start(ctx, 1-p.primary)
}

// AwaitStream returns when the standby streams from the primary.
func (p *Pair) AwaitStream(ctx context.Context) error {
	return await.Yes(ctx, p.URL("postgres", "postgres"), "select exists (select from pg_stat_replication where state = 'streaming')")
}

// Close ends both servers; their folder is its maker's.
func (p *Pair) Close() (err error) {
	for _, place := range p.places {
		if place == nil {
			continue
		}
		if place.server != nil {
			err = errors.Join(err, place.server.Shutdown(context.Background(), syscall.SIGKILL))
		}
		err = errors.Join(err, place.clients.Close(), place.stream.Close())
	}
	return err
}
