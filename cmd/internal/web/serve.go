package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const endTime = 2 * time.Second // for what is asked while the program stops

// Serve answers until the context ends.
func Serve(ctx context.Context, listener net.Listener, server *http.Server) error {
	server.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(os.Stderr, nil), slog.LevelDebug)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	answering, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if server.Shutdown(answering) != nil {
		_ = server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ShownAddress is the address as it was given, where that has the port.
func ShownAddress(given string, listens net.Addr) string {
	if strings.HasSuffix(given, ":0") {
		return listens.String()
	}
	return given
}
