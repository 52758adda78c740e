package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"allocation/deploy/local"
	"allocation/deploy/local/child"
)

// Server is one node, on ports and data that it keeps over restarts. Its methods are for one
// goroutine at a time.
type Server struct {
	dir       string
	cluster   string // its id
	heap      string // Java's most
	java      string
	jars      string
	listeners Listeners
	settings  map[string]string
	scram     []string // arguments of the storage tool: users that are there from the start
	process   *child.Process
}

// shutdownTime is how long a server may take to stop before it is killed.
const shutdownTime = 30 * time.Second

// Open makes a server in an empty folder and starts it. Its error says that Maven or Java is not
// installed, or shows the end of the server's log.
func Open(ctx context.Context, dir string, settings map[string]string) (*Server, error) {
	return OpenWith(ctx, dir, settings, nil, nil)
}

func newServer(ctx context.Context, dir string, settings map[string]string) (*Server, error) {
	runtime, err := java()
	if err != nil {
		return nil, err
	}
	jars, err := Jars(ctx)
	if err != nil {
		return nil, err
	}
	return &Server{dir: dir, cluster: NewClusterID(), heap: "512m", java: runtime, jars: jars, settings: settings}, nil
}

// OpenWith is Open for a server with more listeners than PLAINTEXT, each on a port of its own, and
// with SCRAM credentials from the start, such as SCRAM-SHA-512=[name=me,password=hush].
func OpenWith(ctx context.Context, dir string, settings map[string]string, listeners []Listener, scram []string) (*Server, error) {
	s, err := newServer(ctx, dir, settings)
	if err != nil {
		return nil, err
	}
	if s.listeners, err = freeListeners(listeners); err != nil {
		return nil, err
	}
	for _, credentials := range scram {
		s.scram = append(s.scram, "--add-scram", credentials)
	}
	return s, s.firstStart(ctx)
}

// Address is where a listener of OpenWith is.
func (s *Server) Address(name string) string {
	for _, listener := range s.listeners.More {
		if listener.Name == name {
			return listener.Bind
		}
	}
	return ""
}

// firstStart starts a server with empty storage.
func (s *Server) firstStart(ctx context.Context) error {
	if err := s.write(ctx); err != nil {
		return err
	}
	return s.Start(ctx)
}

// write writes the node's settings, and makes its empty storage.
func (s *Server) write(ctx context.Context) error {
	files := map[string]string{"server.properties": Settings(s.data(), s.listeners, s.settings), "log4j2.xml": logging}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	format := exec.CommandContext(ctx, s.java, s.arguments("kafka.tools.StorageTool", "format", "-t", s.cluster, "-c", s.properties())...)
	format.Args = append(format.Args, s.scram...)
	if output, err := format.CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka's storage: %w\n%s", err, output)
	}
	return nil
}

func freeListeners(more []Listener) (Listeners, error) {
	addresses := make([]string, 2+len(more))
	for i := range addresses {
		port, err := local.FreePort()
		if err != nil {
			return Listeners{}, err
		}
		addresses[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	at := Listeners{Bind: addresses[0], Advertised: addresses[0], Controller: addresses[1], More: slices.Clone(more)}
	for i := range at.More {
		at.More[i].Bind = addresses[2+i]
	}
	return at, nil
}

// arguments are Java's: a small heap and quick compilation are enough for tests.
func (s *Server) arguments(class string, more ...string) []string {
	return append([]string{
		"-Xmx" + s.heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-Djava.io.tmpdir=" + s.dir, // native libraries are unpacked there, and a killed Java leaves them
		"-Dlog4j2.configurationFile=" + filepath.Join(s.dir, "log4j2.xml"),
		"-cp", filepath.Join(s.jars, "*"), class,
	}, more...)
}

func (s *Server) data() string       { return filepath.Join(s.dir, "data") }
func (s *Server) properties() string { return filepath.Join(s.dir, "server.properties") }

// LogPath is where the server logs.
func (s *Server) LogPath() string { return filepath.Join(s.dir, "server.log") }

// Brokers is the address for clients.
func (s *Server) Brokers() string { return s.listeners.Advertised }

// Start starts the server and returns when it answers. Its error shows the end of the server's log.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.Create(s.LogPath())
	if err != nil {
		return err
	}
	defer log.Close()
	server := exec.Command(s.java, s.arguments("kafka.Kafka", s.properties())...)
	server.Stdout, server.Stderr = log, log
	server.Dir = s.dir
	if s.process, err = child.Start(server, syscall.SIGKILL); err != nil {
		return err
	}
	if err := AwaitReady(ctx, s.Brokers(), s.process.Done()); err != nil {
		s.process.Kill()
		return fmt.Errorf("start Kafka: %w\n%s", err, child.Tail(s.LogPath()))
	}
	return nil
}

// Signal sends a signal to the server. For one that ends it, SIGTERM or SIGKILL, it returns when it
// has ended; an error says that it had to be killed.
func (s *Server) Signal(ctx context.Context, signal syscall.Signal) error {
	switch signal {
	case syscall.SIGTERM:
		ctx, cancel := context.WithTimeoutCause(ctx, shutdownTime, errors.New("it took too long and was killed"))
		defer cancel()
		return s.process.End(ctx, signal)
	case syscall.SIGKILL:
		s.process.Kill()
	default:
		s.process.Signal(signal)
	}
	return nil
}

// Close kills the server; its folder is its maker's.
func (s *Server) Close() error {
	if s.process != nil {
		s.process.Kill()
	}
	return nil
}
