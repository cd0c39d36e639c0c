package pull

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what pulls do; the first is the kubelet's.
type metrics struct {
	took     *prometheus.HistogramVec
	failures *prometheus.CounterVec
	bytes    *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "kubelet_image_pull_duration_seconds",
			Help:    "Duration in seconds to pull an image.",
			Buckets: []float64{1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600},
		}, []string{"image_size_in_bytes"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leme_image_pull_failures_total", Help: "Pulls that failed, by what they failed of.",
		}, []string{"reason"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leme_image_pull_bytes_total", Help: "Bytes of layers downloaded, by the host that they came from.",
		}, []string{"host"}),
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(r.Register(m.took), r.Register(m.failures), r.Register(m.bytes))
}

func (m *metrics) pulled(size int64, took time.Duration) {
	m.took.WithLabelValues(sizeClass(size)).Observe(took.Seconds())
}

func (m *metrics) failed(err error) {
	_, kind := classify(err)
	reason := "other"
	for of, name := range map[error]string{ErrInvalidName: "name", ErrNotFound: "not_found", ErrDenied: "denied", ErrNetwork: "network"} {
		if kind == of { //nolint:errorlint // classify gives one of these
			reason = name
		}
	}
	m.failures.WithLabelValues(reason).Inc()
}

// sizeClasses are the kubelet's, by the bytes that they end at.
var sizeClasses = []struct {
	below int64
	name  string
}{
	{10e6, "0-10MB"}, {100e6, "10MB-100MB"}, {500e6, "100MB-500MB"}, {1e9, "500MB-1GB"}, {5e9, "1GB-5GB"}, {10e9, "5GB-10GB"},
	{20e9, "10GB-20GB"}, {30e9, "20GB-30GB"}, {40e9, "30GB-40GB"}, {60e9, "40GB-60GB"}, {100e9, "60GB-100GB"},
}

func sizeClass(size int64) string {
	for _, c := range sizeClasses {
		if size < c.below {
			return c.name
		}
	}
	return "GT100GB"
}
