package status

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// namespace is what the names of all metrics begin with.
const namespace = "pcapdir_"

// Figure is one metric: what it is called, what it says, and where it stands in a
// picture P, which is taken once for all figures of a scrape.
type Figure[P any] struct {
	Name    string // without the namespace; of a counter it ends in _total
	Help    string // one sentence
	Counter bool   // it only rises while the process lives; else it goes up and down
	Label   string // what its values are told apart by; "": there is one
	// Read calls emit with each value, and that of its label.
	Read func(p *P, emit func(v float64, label string))
}

// figures are a prometheus.Collector: nothing is counted twice, what others count is
// read when somebody asks.
type figures[P any] struct {
	all   []Figure[P]
	descs []*prometheus.Desc
	take  func() P
}

// Metrics is a registry of figures, with those of the process and of Go's runtime, and of
// the version. take is called for each scrape, from any goroutine.
func Metrics[P any](all []Figure[P], take func() P, version string) *prometheus.Registry {
	f := &figures[P]{all: all, take: take}
	for i := range all {
		var labels []string
		if all[i].Label != "" {
			labels = []string{all[i].Label}
		}
		f.descs = append(f.descs, prometheus.NewDesc(namespace+all[i].Name, all[i].Help, labels, nil))
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: namespace + "build_info", Help: "Always 1; the label says which version runs.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	r := prometheus.NewRegistry()
	r.MustRegister(f, info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Describe implements prometheus.Collector.
func (f *figures[P]) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range f.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (f *figures[P]) Collect(ch chan<- prometheus.Metric) {
	p := f.take()
	for i := range f.all {
		figure, kind := &f.all[i], prometheus.GaugeValue
		if figure.Counter {
			kind = prometheus.CounterValue
		}
		figure.Read(&p, func(v float64, label string) {
			var labels []string
			if figure.Label != "" {
				labels = []string{label}
			}
			ch <- prometheus.MustNewConstMetric(f.descs[i], kind, v, labels...)
		})
	}
}
