package podfields

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/pod"
	"leme/server/kind"
)

const document = "../../docs/pods.md"

func list(t *testing.T) (rows []Row, types []string) {
	t.Helper()
	rows, types, err := readList(document)
	if err != nil {
		t.Fatal(err)
	}
	return rows, types
}

// closed says of which fields nothing below is listed: those that are refused whatever they hold.
func closed(rows []Row) func(typeName, field string) bool {
	return func(typeName, field string) bool {
		return slices.ContainsFunc(rows, func(r Row) bool {
			return r.Type == typeName && r.Field == field && r.Value == "" && r.State == Refused
		})
	}
}

// TestEveryFieldIsListed: the document has a row for each field of the API's types below PodSpec, and no other.
func TestEveryFieldIsListed(t *testing.T) {
	rows, types := list(t)
	listed := map[string]bool{}
	for _, r := range rows {
		listed[r.Type+"."+r.Field] = true
	}
	known := map[string]bool{}
	var names []string
	for _, f := range walk(closed(rows)) {
		names = append(names, f.of.Name())
		for _, field := range fieldsOf(f.of) {
			name := f.of.Name() + "." + field.name
			known[name] = true
			if !listed[name] {
				t.Errorf("%s is not listed", name)
			}
		}
	}
	for _, r := range rows {
		if !known[r.Type+"."+r.Field] {
			t.Errorf("%s is listed, and not in the API", r)
		}
	}
	slices.Sort(names)
	slices.Sort(types)
	if !slices.Equal(names, types) {
		t.Errorf("types of the API: %v\nin the list:      %v", names, types)
	}
}

// TestRowsSayEnough: what works names tests that there are, what does not says why.
func TestRowsSayEnough(t *testing.T) {
	tests := testsOfTheProject(t)
	rows, _ := list(t)
	for _, r := range rows {
		switch r.State {
		case Works, Depends:
			if len(r.tests()) == 0 {
				t.Errorf("%s works, and no test is named", r)
			}
		case Refused, NotYet:
			if strings.TrimSpace(r.Text) == "" {
				t.Errorf("%s is %s, and nobody says why", r, r.State)
			}
		default:
			t.Errorf("%s: there is no state %q", r, r.State)
		}
		for _, name := range r.tests() {
			if !tests[name] {
				t.Errorf("%s names %s, which is not there", r, name)
			}
		}
	}
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)

func testsOfTheProject(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, folder := range []string{"nodeagent", "server", "registry", "test"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
				names[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// plain is a pod as the server has it, which nobody refuses.
func plain() *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "plain"}}
	p.Spec.Containers = []corev1.Container{{Name: "c", Image: "image"}}
	p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "e", Image: "image"}}}
	p.Spec.Volumes = []corev1.Volume{{Name: "v"}}
	kind.Pod.Default(p)
	return p
}

// able is a host that can do all that any can.
var able = pod.Host{AppArmor: true, SELinux: true, PodGroups: true}

// TestRefusedIsRefused: the server does not take it, or the node says what it cannot do.
func TestRefusedIsRefused(t *testing.T) {
	rows, _ := list(t)
	base := plain()
	if why := refusal(t, base, nil, Row{Field: "volumes"}, pod.Host{}); why != "" {
		t.Fatalf("a plain pod is refused: %s", why)
	}
	types := map[string]found{}
	for _, f := range walk(closed(rows)) {
		types[f.of.Name()] = f
	}
	for _, r := range rows {
		if r.State != Refused && r.State != Depends {
			continue
		}
		at := types[r.Type]
		p, err := r.with(base, at)
		if err != nil {
			t.Error(err)
			continue
		}
		if why := refusal(t, p, at.path, r, pod.Host{}); why == "" {
			t.Errorf("%s is taken", r)
		}
		if why := refusal(t, p, at.path, r, able); r.State == Depends && why != "" {
			t.Errorf("%s is refused by a host that can do all: %s", r, why)
		}
	}
}

// refusal says who refuses a row's field, and how; empty when nobody does.
func refusal(t *testing.T, p *corev1.Pod, path []step, r Row, host pod.Host) string {
	t.Helper()
	sysctls, err := pod.AllowedSysctls("6.1.0", nil)
	if err != nil {
		t.Fatal(err)
	}
	var parents []string
	for _, s := range path {
		parents = append(parents, s.name)
	}
	full := strings.Join(append(parents, r.Field), ".")
	for _, e := range kind.Pod.Validate(p) {
		if at := indexes.ReplaceAllString(e.Field, ""); at == "spec."+full || strings.HasPrefix(at, "spec."+full+".") && r.Value != "" {
			return e.Error()
		}
	}
	defaulted := p.DeepCopy()
	kind.Pod.Default(defaulted)
	if len(path) == 0 && isUnset(defaulted, r.Field) {
		return "the server drops it"
	}
	if why := pod.Unsupported(p, host); strings.Contains(why, r.Field) || r.Type == "Volume" && strings.Contains(why, "volume type "+r.Field) {
		return why
	}
	return pod.Inadmissible(p, host, sysctls).Reason
}

var indexes = regexp.MustCompile(`\[[^\]]*\]`)

func isUnset(p *corev1.Pod, name string) bool {
	spec := reflect.ValueOf(p.Spec)
	return slices.ContainsFunc(fieldsOf(spec.Type()), func(f field) bool {
		return f.name == name && spec.FieldByIndex(f.index).IsZero()
	})
}
