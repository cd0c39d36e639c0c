package server

import (
	"net/http"
	"path/filepath"
	"testing"
)

func TestConfig(t *testing.T) {
	home := t.TempDir()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		bad    bool
	}{
		{"nothing set", func(*Config) {}, false},
		{"no home", func(c *Config) { c.Home = "" }, true},
		{"no port", func(c *Config) { c.Listen = "localhost" }, true},
		{"no grace for nodes", func(c *Config) { c.NodeMonitorGracePeriod = -1 }, true},
		{"a broken range", func(c *Config) { c.PodCIDR = "10.42.0.0" }, true},
		{"services in no range", func(c *Config) { c.ServiceCIDR = "10.96.0.1/12" }, true},
		{"services nowhere", func(c *Config) { c.ServiceCIDR = "10.96.0.0/31" }, true},
		{"node ports", func(c *Config) { c.NodePortRange = "30000" }, false},
		{"no node ports", func(c *Config) { c.NodePortRange = "a-b" }, true},
		{"a mount without handler", func(c *Config) { c.Mounts = []Mount{{Prefix: "/v2/"}} }, true},
		{"a mount without path", func(c *Config) { c.Mounts = []Mount{{Handler: http.NotFoundHandler()}} }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Home: home}
			tt.change(&c)
			if err := c.validate(); (err != nil) != tt.bad {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	c := Config{Home: ".", Listen: "192.0.2.7:6443"}
	if err := c.validate(); err != nil {
		t.Fatal(err)
	}
	if c.Advertise != "192.0.2.7" || c.PodCIDR != "10.42.0.0/16" || !filepath.IsAbs(c.Home) {
		t.Errorf("got %+v", c)
	}
	if got := advertised("0.0.0.0"); got == "0.0.0.0" || got == "" {
		t.Errorf("a server that listens everywhere is reached at %q", got)
	}
}
