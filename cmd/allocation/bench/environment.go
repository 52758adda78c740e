package bench

import (
	"os"
	"reflect"

	"github.com/google/uuid"
)

// workerEnvironment gives a worker the settings that this command was given, however it was given
// them.
func (c *Command) workerEnvironment() (variables []string, err error) {
	if c.URLFile == "" {
		url, err := c.URL()
		if err != nil {
			return nil, err
		}
		variables = append(variables, "DATABASE_URL="+url)
	}
	for _, settings := range []any{c.Kafka, c.Database, c.Topics, c.Topics.Commands, c.Topics.Events} {
		variables = append(variables, variablesIn(settings)...)
	}
	if _, set := os.LookupEnv(groupVariable); !set { // each run has a database of its own, and a group is one database's
		variables = append(variables, groupVariable+"=allocation-bench-"+uuid.NewString())
	}
	return variables, nil
}

const groupVariable = "KAFKA_GROUP_ID"

// variablesIn are the settings of a struct as environment variables, named by the tags of its
// fields.
func variablesIn(settings any) (variables []string) {
	value := reflect.ValueOf(settings)
	for i := range value.NumField() {
		if name := value.Type().Field(i).Tag.Get("env"); name != "" {
			variables = append(variables, name+"="+value.Field(i).String())
		}
	}
	return variables
}
