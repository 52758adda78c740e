package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// ErrSignal is why the context of a run ended that somebody stopped.
var ErrSignal = errors.New("stopped by a signal")

// stoppedBy says where a run failed because somebody stopped it: what its servers say then is no
// cause.
func stoppedBy(ctx context.Context, err error) error {
	switch {
	case !errors.Is(context.Cause(ctx), ErrSignal):
		return err
	case errors.Is(err, ErrSignal):
		return ErrSignal
	}
	return fmt.Errorf("%w: %w", ErrSignal, err)
}

// UntilSignal ends the context at the first SIGINT, SIGTERM or SIGHUP, for an orderly stop. The
// second ends the process at once. SIGHUP is of no effect where the process began with it ignored,
// as nohup does.
func UntilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		<-signals
		cancel(ErrSignal)
		<-signals
		os.Exit(ExitFailed)
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
