package worker_test

import "strings"

// values are those of a metric's series, by the values of their labels. Of a histogram it is how
// many values it has.
func (m *member) values(metric string) map[string]float64 {
	values := map[string]float64{}
	families, _ := m.metrics.Gather()
	for _, f := range families {
		if f.GetName() != metric {
			continue
		}
		for _, s := range f.GetMetric() {
			var labels []string
			for _, l := range s.GetLabel() { // sorted by name
				labels = append(labels, l.GetValue())
			}
			values[strings.Join(labels, " ")] = s.GetGauge().GetValue() + s.GetCounter().GetValue() + float64(s.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// gauge is what all series of a metric have together; -1: there is none.
func (m *member) gauge(metric string) (sum float64) {
	values := m.values(metric)
	if len(values) == 0 {
		return -1
	}
	for _, v := range values {
		sum += v
	}
	return sum
}
