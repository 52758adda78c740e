package migrations

import "embed"

//go:embed engine/*.sql
var engineFiles embed.FS

// engine makes what each service has: positions, the outbox, dead letters and held keys.
var engine = Line{
	Name: "engine", Files: engineFiles,
	Worker: map[string]string{
		"kafka_cluster":     "select insert",
		"positions":         "select insert update",
		"outbox":            "select insert",
		"dead_letters":      "select insert update(state) update(attempts) update(first_event) update(resolved_at) update(batch_room) update(batch_next) update(batch_problem)",
		"held_keys":         "select insert update(source) update(row_no) update(creates) update(attempts) update(held_at) update(waits_until) delete",
		"held_commands":     "select insert delete",
		"fetch_troubles":    "select insert update delete",
		"database_identity": "select",
		"worker_nonces":     "select insert delete",
		"requests":          "select insert update delete",
	},
	Operator: map[string]string{
		"positions":         "select",
		"outbox":            "select",
		"dead_letters":      "select update(state) update(attempts) update(resolved_at) update(batch_room) update(batch_problem)",
		"held_keys":         "select",
		"held_commands":     "select",
		"offset_decisions":  "select",
		"kafka_cluster":     "select",
		"fetch_troubles":    "select",
		"transactions":      "select",
		"claims":            "select",
		"worker_nonces":     "select",
		"unparked_commands": "select",
	},
	OperatorsToo: []string{"outbox_days"},
}
