package counters

import (
	"errors"
	"fmt"
	"slices"

	"allocation/domain/strictjson"
	"allocation/worker"
)

var types = []string{"Make", "Add", "AddTo", "Refill", "Flood", "v2.Add"}

// moved is an event of another service only.
const moved = "Moved"

type command struct {
	Key, Name string
	N         int64
}

// read reads a command, or refuses it. One of a newer type is read as far as it can be.
func read(from *worker.Command) (*command, *worker.Refusal) {
	newer, follows := from.Wait > 0, from.Taken && from.Type == moved
	if !newer && !follows && !slices.Contains(types, from.Type) {
		return nil, &worker.Refusal{Reason: "unknown_type", Message: fmt.Sprintf("there is no command %.100q", from.Type)}
	}
	c, counts := &command{}, false
	err := strictjson.Parse(from.Data, func(field []byte, v strictjson.Value) (err error) {
		switch string(field) {
		case "key":
			c.Key, err = text(v)
		case "name":
			c.Name, err = text(v)
		case "n":
			c.N, err = v.Int64()
			counts = true
		}
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		return nil
	})
	switch {
	case newer:
		return c, nil
	case err != nil:
	case c.Key+c.Name == "":
		err = errors.New("key: it is missing")
	case !counts && !follows:
		err = errors.New("n: it is missing")
	}
	if err != nil {
		return nil, &worker.Refusal{Reason: "malformed", Message: err.Error()}
	}
	return c, nil
}

func text(v strictjson.Value) (string, error) {
	if s := v.Text(); s != "" && len(s) <= 255 {
		return s, nil
	}
	return "", errors.New("it must be text of 1 to 255 bytes")
}
