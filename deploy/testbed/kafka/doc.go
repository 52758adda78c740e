// Package kafka runs Apache Kafka, one node that is broker and controller, from jars that Maven fetches: no download page is needed.
package kafka
