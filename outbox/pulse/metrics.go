package pulse

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector shows for how long parts stand still, asked at each scrape: no loop of its own could
// stop.
func (p *Parts) Collector() prometheus.Collector { return &collector{p} }

type collector struct{ parts *Parts }

var stands = prometheus.NewDesc("part_stands_seconds",
	"For how long a part of the worker has not done what it does now and then, where that is too long; else 0. What it measures is not shown then.", []string{"part"}, nil)

func (c *collector) Describe(descs chan<- *prometheus.Desc) { descs <- stands }

func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	now := time.Now()
	for _, part := range c.parts.All() {
		metrics <- prometheus.MustNewConstMetric(stands, prometheus.GaugeValue, part.Stands(now).Seconds(), part.name)
	}
}

// While shows what a part measures only while the part does not stand still: an old figure would
// look like one of today's.
func (p *Part) While(measures prometheus.Collector) prometheus.Collector { return &fresh{measures, p} }

type fresh struct {
	prometheus.Collector
	part *Part
}

func (f *fresh) Collect(metrics chan<- prometheus.Metric) {
	if f.part.Stands(time.Now()) == 0 {
		f.Collector.Collect(metrics)
	}
}
