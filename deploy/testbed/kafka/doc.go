// Package kafka runs Apache Kafka from jars that Maven fetches: no download page is needed. A
// Server is one node that is broker and controller, alone or in a Cluster.
package kafka
