package worker

import (
	"log/slog"
	"sync"
	"time"
)

// throttledLog logs what goes wrong again and again, each thing once in a while: errors of the same
// thing differ in ports and times.
type throttledLog struct {
	logger *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time // by message
}

const throttleEvery = 10 * time.Second

func (l *throttledLog) warn(message string, err error, attrs ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.last[message]) < throttleEvery {
		return
	}
	if l.last == nil {
		l.last = map[string]time.Time{}
	}
	l.last[message] = now
	l.logger.Warn(message, append(attrs, "error", err)...)
}
