package pull

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"go.yaml.in/yaml/v3"
)

// Registries says how registries are reached. It is what a registries.yaml holds, in the form that k3s made common:
//
//	mirrors:
//	  docker.io:                              # a registry as image names have it; "*" is any that is not listed
//	    endpoint: ["https://mirror.example"]  # asked in this order, and then the registry itself
//	    rewrite: {"^library/(.*)": "hub/$1"}  # of repositories, at the endpoints
//	    default_endpoint: false               # do not ask the registry itself
//	    pull_through: false                   # do not ask the cluster's registry first
//	  lab.example:5000:
//	    endpoint: ["http://lab.example:5000"] # plain HTTP
//	configs:
//	  mirror.example:                         # a host that is spoken to; "*" is any that is not listed
//	    auth: {username: anna, password: secret}
//	    tls: {ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem, insecure_skip_verify: false}
type Registries struct {
	mirrors map[string]mirror
	configs map[string]hostConfig
}

// any is the name that stands for whatever is not listed.
const anyHost = "*"

type mirror struct {
	endpoints   []*url.URL
	rewrites    []rewrite
	noDefault   bool
	pullThrough *bool
}

type rewrite struct {
	from *regexp.Regexp
	to   string
}

type hostConfig struct {
	auth authn.AuthConfig
	tls  *tls.Config
}

// located is a value and the line that it stands in.
type located[T any] struct {
	value T
	line  int
}

func (l *located[T]) UnmarshalYAML(n *yaml.Node) error {
	l.line = n.Line
	return n.Decode(&l.value)
}

type registriesFile struct {
	Mirrors map[string]struct {
		Endpoint        []located[string] `yaml:"endpoint"`
		Rewrite         yaml.Node         `yaml:"rewrite"` // its order counts
		DefaultEndpoint *bool             `yaml:"default_endpoint"`
		PullThrough     *bool             `yaml:"pull_through"`
	} `yaml:"mirrors"`
	Configs map[string]struct {
		Auth *struct {
			Username      string `yaml:"username"`
			Password      string `yaml:"password"`
			Auth          string `yaml:"auth"`
			IdentityToken string `yaml:"identity_token"`
		} `yaml:"auth"`
		TLS located[tlsFile] `yaml:"tls"`
	} `yaml:"configs"`
}

type tlsFile struct {
	CA       string `yaml:"ca_file"`
	Cert     string `yaml:"cert_file"`
	Key      string `yaml:"key_file"`
	Insecure bool   `yaml:"insecure_skip_verify"`
}

// ParseRegistries reads a registries.yaml. The error names each line and field that is wrong.
func ParseRegistries(data []byte) (*Registries, error) {
	var file registriesFile
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, plainYAML(err)
	}
	r := &Registries{mirrors: map[string]mirror{}, configs: map[string]hostConfig{}}
	var errs []error
	wrong := func(line int, field, format string, a ...any) {
		errs = append(errs, fmt.Errorf("line %d: %s: %s", line, field, fmt.Sprintf(format, a...)))
	}
	for name, m := range file.Mirrors {
		field := "mirrors." + name
		out := mirror{noDefault: m.DefaultEndpoint != nil && !*m.DefaultEndpoint, pullThrough: m.PullThrough}
		for i, e := range m.Endpoint {
			u, err := parseEndpoint(e.value)
			if err != nil {
				wrong(e.line, fmt.Sprintf("%s.endpoint[%d]", field, i), "%v", err)
			}
			out.endpoints = append(out.endpoints, u)
		}
		for i := 0; i+1 < len(m.Rewrite.Content); i += 2 {
			from, to := m.Rewrite.Content[i], m.Rewrite.Content[i+1]
			pattern, err := regexp.Compile(from.Value)
			if err != nil {
				wrong(from.Line, field+".rewrite", "%v", err)
			}
			out.rewrites = append(out.rewrites, rewrite{pattern, to.Value})
		}
		if out.noDefault && len(out.endpoints) == 0 {
			errs = append(errs, fmt.Errorf("%s: default_endpoint is false and there is no endpoint", field))
		}
		r.mirrors[canonicalHost(name)] = out
	}
	for name, c := range file.Configs {
		var out hostConfig
		if strings.Contains(name, "/") {
			errs = append(errs, fmt.Errorf("configs.%s: a host, or host:port, is wanted", name))
		}
		if a := c.Auth; a != nil {
			out.auth = authn.AuthConfig{Username: a.Username, Password: a.Password, Auth: a.Auth, IdentityToken: a.IdentityToken}
		}
		if c.TLS.line > 0 {
			var err error
			if out.tls, err = c.TLS.value.load(); err != nil {
				wrong(c.TLS.line, "configs."+name+".tls", "%v", err)
			}
		}
		r.configs[canonicalHost(name)] = out
	}
	return r, errors.Join(errs...)
}

// plainYAML leaves the names of Go's types out of the library's words.
func plainYAML(err error) error {
	words := regexp.MustCompile(` in type \S+( \{.*\})?| into \S+$`).ReplaceAllString(err.Error(), "")
	return errors.New(strings.TrimPrefix(words, "yaml: "))
}

func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q is not http://HOST or https://HOST", s)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q has more than a host and a path; credentials stand in configs", s)
	}
	u.Path = strings.Trim(strings.TrimPrefix(strings.TrimSuffix(u.Path, "/")+"/", "/v2/"), "/")
	return u, nil
}

// load reads the files that a host's TLS takes.
func (f tlsFile) load() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: f.Insecure} //nolint:gosec // asked for
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		if out.RootCAs, err = x509.SystemCertPool(); err != nil {
			out.RootCAs = x509.NewCertPool()
		}
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate", f.CA)
		}
	}
	if (f.Cert == "") != (f.Key == "") {
		return nil, errors.New("cert_file and key_file go together")
	}
	if f.Cert != "" {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, fmt.Errorf("cert_file, key_file: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// canonicalHost is a registry's name as references have it: docker.io for each of that one's hosts.
func canonicalHost(name string) string {
	name = strings.ToLower(name)
	if named, err := reference.ParseNormalizedNamed(name + "/x/x"); err == nil && name != anyHost {
		return reference.Domain(named)
	}
	return name
}

func (r *Registries) mirror(host string) mirror {
	if m, ok := r.mirrors[host]; ok {
		return m
	}
	return r.mirrors[anyHost]
}

func (r *Registries) config(host string) hostConfig {
	if c, ok := r.configs[canonicalHost(host)]; ok {
		return c
	}
	return r.configs[anyHost]
}

// rewritten is a repository as a mirror has it, by the first rule that fits.
func (m mirror) rewritten(repository string) string {
	for _, r := range m.rewrites {
		if r.from.MatchString(repository) {
			return r.from.ReplaceAllString(repository, r.to)
		}
	}
	return repository
}
