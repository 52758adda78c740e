package worker

import (
	"log/slog"
	"sync"
	"time"
)

// complaints logs what goes wrong again and again, each thing once in a while: errors of the same
// thing differ in ports and times.
type complaints struct {
	logger *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time // by message
}

const complainEvery = 10 * time.Second

func (c *complaints) warn(message string, err error, attrs ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.last[message]) < complainEvery {
		return
	}
	if c.last == nil {
		c.last = map[string]time.Time{}
	}
	c.last[message] = now
	c.logger.Warn(message, append(attrs, "error", err)...)
}
