package config

import (
	"io"
	"log/slog"
	"os"
)

// Log says what is logged, and how.
type Log struct {
	Level  string `name:"log-level" env:"LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	Format string `name:"log-format" env:"LOG_FORMAT" placeholder:"FORMAT" help:"json or text; without it, text on a terminal and else json."`
}

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// Check finds the mistakes.
func (l Log) Check(p *Problems) {
	p.oneOf("log-level", l.Level, "debug", "info", "warn", "error")
	if l.Format != "" {
		p.oneOf("log-format", l.Format, "json", "text")
	}
}

// Logger writes to w.
func (l Log) Logger(w io.Writer) *slog.Logger { return slog.New(l.Handler(w)) }

// Handler writes to w.
func (l Log) Handler(w io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: levels[l.Level]}
	if l.Format == "json" || (l.Format == "" && !IsTerminal(w)) {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

// IsTerminal reports whether a person reads w.
func IsTerminal(w any) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
