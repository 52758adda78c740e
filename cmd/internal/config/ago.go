package config

import "time"

// Ago reads the value of a flag, a time such as 2026-11-23T02:40:07Z, or such as 2h or 7d, meaning
// so long before now. Empty is no time.
func (p *Problems) Ago(flag, value string) time.Time {
	if value == "" {
		return time.Time{}
	}
	if d, err := parseDuration(value); err == nil && d >= 0 {
		return time.Now().Add(-d)
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		p.Add(flag, value, "a time such as 2026-11-23T02:40:07Z, or how long ago, such as 30m, 2h or 7d")
	}
	return at
}

// Wait reads the value of a flag, a time of at most an hour.
func (p *Problems) Wait(flag, value string) time.Duration {
	return p.duration(flag, value, 0, time.Hour)
}

// OneOf checks the values of a flag.
func (p *Problems) OneOf(flag string, values []string, allowed ...string) {
	for _, value := range values {
		if !p.oneOf(flag, value, allowed...) {
			return
		}
	}
}
