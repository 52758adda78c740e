package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// secret is a value that is never given as a flag, where other users of the machine could see it,
// and never printed.
type secret struct {
	variable string // that holds the value
	file     string // that holds the value instead, from the flag or variable of the same name with _FILE
	fallback string // where neither is set
}

// read returns the value as it is now: a file may have been rotated.
func (s secret) read() (string, error) {
	if s.file == "" {
		if value := trimmed(os.Getenv(s.variable)); value != "" {
			return value, nil
		}
		return s.fallback, nil
	}
	content, err := os.ReadFile(s.file)
	if err != nil {
		return "", fmt.Errorf("read %s_FILE: %w", s.variable, err)
	}
	return trimmed(string(content)), nil
}

// trimmed leaves out the line break that a file of a secret ends with, also where it became a
// variable.
func trimmed(value string) string { return strings.TrimRight(value, "\r\n") }

// where names what holds the value.
func (s secret) where() string {
	if s.file == "" {
		return s.variable
	}
	return named(s.variable+"_FILE", s.file)
}

// check finds mistakes in where the value comes from. It returns the value.
func (s secret) check(p *Problems, flag string) string {
	if s.file != "" && os.Getenv(s.variable) != "" {
		p.Say("%s and %s_FILE are both set; only one of them may be", s.variable, s.variable)
		return ""
	}
	value, err := s.read()
	switch {
	case err != nil:
		p.Add(flag, s.file, "a file that can be read: "+fileProblem(err))
	case value == "" && s.file != "":
		p.Add(flag, s.file, "a file with the value in it; it is empty")
	}
	return value
}

// SecretFile reads a file with a secret in it, or finds why it cannot.
func (p *Problems) SecretFile(flag, path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		p.Add(flag, path, "a file that can be read: "+fileProblem(err))
		return ""
	}
	value := trimmed(string(content))
	if value == "" {
		p.Add(flag, path, "a file with the value in it; it is empty")
	}
	return value
}

// checkFile finds out whether an optional file can be read.
func checkFile(p *Problems, flag, path string) {
	if path == "" {
		return
	}
	if _, err := os.ReadFile(path); err != nil {
		p.Add(flag, path, "a file that can be read: "+fileProblem(err))
	}
}

// fileProblem leaves out the path, which is named anyway.
func fileProblem(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
