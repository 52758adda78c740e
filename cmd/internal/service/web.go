package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// web serves health and metrics, and pages where there are some.
type web struct {
	listener net.Listener
	server   *http.Server
	logger   *slog.Logger
}

// What a client may cost. No handler reads a body.
const (
	readTime           = 5 * time.Second
	writeTime          = 30 * time.Second
	idleTime           = 2 * time.Minute
	maxHeaderBytes     = 16 << 10
	maxPageHeaderBytes = 128 << 10       // where there are pages: their parameters are in the first line
	maxScrapes         = 4               // of metrics at once
	maxIdle            = 256             // connections on which nothing is asked
	answerTime         = 2 * time.Second // for what is asked while the process stops
)

// Listen takes the address early, so that one in use is known before anything else starts.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		_, port, _ := net.SplitHostPort(addr)
		return nil, fmt.Errorf("port %s, for health and metrics, is in use by another program: stop that, or choose another port with --http-addr", port)
	}
	if err != nil {
		return nil, fmt.Errorf("serve health and metrics: %w", err)
	}
	return listener, nil
}

func newWeb(listener net.Listener, registry *prometheus.Registry, ready *readiness, pages http.Handler, logger *slog.Logger) *web {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", ready.live)
	mux.HandleFunc("GET /readyz", ready.serve)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: maxScrapes}))
	headerBytes := maxHeaderBytes
	if pages != nil {
		mux.Handle("/", pages)
		headerBytes = maxPageHeaderBytes
	}
	return &web{
		listener: listener,
		server: &http.Server{
			Handler: mux, ReadHeaderTimeout: readTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
			ConnState: newIdleConnections(maxIdle).see,
			ErrorLog:  slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		},
		logger: logger,
	}
}

// run serves until the context ends; then what is asked is answered.
func (w *web) run(ctx context.Context) {
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := w.server.Serve(w.listener); !errors.Is(err, http.ErrServerClosed) {
			w.logger.Error("health and metrics are no longer served", "error", err)
		}
	})
	<-ctx.Done()
	answering, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	if w.server.Shutdown(answering) != nil {
		_ = w.server.Close()
	}
	serving.Wait()
}

// readyAnswer is what /readyz says.
type readyAnswer struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// live says whether the process works. It asks no server, and waits for nothing.
func (r *readiness) live(w http.ResponseWriter, _ *http.Request) {
	if stuck := (*r.stuck.Load())(); stuck != "" {
		http.Error(w, stuck, http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

func (r *readiness) serve(w http.ResponseWriter, request *http.Request) {
	h := r.health(request.Context())
	ready := len(h.reasons) == 0
	w.Header().Set("Content-Type", "application/json")
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(readyAnswer{Ready: ready, Reasons: h.reasons, Notes: h.notes})
}
