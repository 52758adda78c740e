package config

import (
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The codes of Postgres for options of a URL that it does not take.
const (
	codeUnknownSetting = "42704"
	codeOptionValue    = "22023"
	codeOptionSet      = "55P02" // only a restart of the server changes it
	codeOptionText     = "42601" // of the option that is called options
	codeProtocol       = "08P01" // of PgBouncer, for all that it refuses
)

// aboutOption reports whether Postgres, or a pooler, refuses to begin a session because of what the
// URL asks for. What a session sets itself, later, is no FATAL error.
func aboutOption(pg *pgconn.PgError) bool {
	if pg.SeverityUnlocalized == "ERROR" {
		return false
	}
	switch pg.Code {
	case codeUnknownSetting, codeOptionValue, codeOptionSet, codeOptionText:
		return true
	case codeProtocol:
		return strings.Contains(pg.Message, "unsupported startup parameter")
	case codeNotAllowed:
		return pg.Detail == "" // about the right to connect there is one
	}
	return false
}

const (
	allowedNumber   = "a whole number"
	allowedDuration = "a duration such as 90s or 10m"
	allowedProtocol = "3.0, 3.2 or latest"
)

// allowedOptions are the options of a URL whose values this side reads, and what they may be.
var allowedOptions = map[string]string{
	"sslmode":                       "disable, allow, prefer, require, verify-ca or verify-full",
	"sslnegotiation":                "postgres or direct",
	"connect_timeout":               "a whole number of seconds",
	"target_session_attrs":          "any, read-write, read-only, primary, standby or prefer-standby",
	"channel_binding":               "disable, prefer or require",
	"min_protocol_version":          allowedProtocol,
	"max_protocol_version":          allowedProtocol,
	"statement_cache_capacity":      allowedNumber,
	"description_cache_capacity":    allowedNumber,
	"default_query_exec_mode":       "cache_statement, cache_describe, describe_exec, exec or simple_protocol",
	"pool_max_conns":                allowedNumber + ", at least 1",
	"pool_min_conns":                allowedNumber,
	"pool_min_idle_conns":           allowedNumber,
	"pool_max_conn_lifetime":        allowedDuration,
	"pool_max_conn_idle_time":       allowedDuration,
	"pool_health_check_period":      allowedDuration,
	"pool_max_conn_lifetime_jitter": allowedDuration,
	"pool_ping_timeout":             allowedDuration,
}

// badOption finds the option for which a URL cannot be read, by trying each alone.
func badOption(address string) (name, allowed string) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", ""
	}
	for name, values := range parsed.Query() {
		for _, value := range values {
			alone := url.URL{Scheme: "postgres", Host: "127.0.0.1", Path: "/x", RawQuery: url.Values{name: {value}}.Encode()}
			if _, err := pgxpool.ParseConfig(alone.String()); err != nil && allowedOptions[name] != "" {
				return name, allowedOptions[name]
			}
		}
	}
	return "", ""
}
