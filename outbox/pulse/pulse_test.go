package pulse_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"allocation/outbox/pulse"
)

func TestParts_sayWhichStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts := pulse.Parts{Patience: time.Minute}
		goes, hangs, fails, rests, unborn := parts.Add("goes"), parts.Add("hangs"), parts.Add("fails"),
			parts.Add("rests"), parts.Add("unborn")
		hangs.Begin()
		for range 10 {
			goes.Well()
			fails.Ill(errors.New("no right"))
			rests.Begin()
			rests.Rest()
			<-time.After(time.Minute)
		}
		require.Equal(t, []string{"hangs: stands still for 10m0s", "fails: stands still for 10m0s: no right"}, parts.Standing(time.Now()))
		hangs.Well()
		fails.Ill(nil)
		require.Empty(t, parts.Standing(time.Now()))
		require.Zero(t, unborn.Stands(time.Now()))
	})
}

// A gauge whose part stands still shows nothing, and how long that is so is shown.
func TestPart_showsNoOldFigure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts := pulse.Parts{Patience: time.Minute}
		part := parts.Add("measures")
		gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "age"})
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(parts.Collector(), part.While(gauge))
		shown := func() (values []float64) {
			families, err := registry.Gather()
			require.NoError(t, err)
			for _, f := range families {
				values = append(values, f.GetMetric()[0].GetGauge().GetValue())
			}
			return values
		}
		gauge.Set(7)
		part.Well()
		require.Equal(t, []float64{7, 0}, shown())
		<-time.After(10 * time.Minute)
		require.Equal(t, []float64{600}, shown())
		part.Well()
		require.Equal(t, []float64{7, 0}, shown())
	})
}
