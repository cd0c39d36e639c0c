package command

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const placementAnswer = `{"namespace":"shop","pod":"web","schedulerName":"packer","message":"why","nodes":[
	{"name":"a","refusals":[{"plugin":"NodePorts","reasons":["no port"]},{"plugin":"NodeResourcesFit","reasons":["Insufficient cpu","Too many pods"]}]},
	{"name":"b","total":110,"scores":[{"plugin":"NodeAffinity","score":5,"weight":2},{"plugin":"ImageLocality","score":100,"weight":1}],"best":true}]}`

func TestPlacement(t *testing.T) {
	p := &placement{}
	if err := json.Unmarshal([]byte(placementAnswer), p); err != nil {
		t.Fatal(err)
	}
	const top = "Pod:        shop/web\nScheduler:  packer\nMessage:    why\n\n"
	for wide, want := range map[bool]string{
		false: top + `NODE   SCORE   REFUSED BY
a      -       NodePorts: no port; NodeResourcesFit: Insufficient cpu, Too many pods
b      110*
`,
		true: top + `NODE   SCORE   NODEAFFINITY×2   IMAGELOCALITY×1   REFUSED BY
a      -       -                -                 NodePorts: no port; NodeResourcesFit: Insufficient cpu, Too many pods
b      110*    5                100
`,
	} {
		var out strings.Builder
		if err := p.print(&out, wide); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for line := range strings.Lines(out.String()) {
			got.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
		if got.String() != want {
			t.Errorf("wide %t: got\n%s\nwant\n%s", wide, got.String(), want)
		}
	}
}

func TestPodOfTemplate(t *testing.T) {
	for text, want := range map[string]string{
		"{kind: Deployment, metadata: {name: web}, spec: {template: {metadata: {labels: {a: b}}, spec: {hostname: h}}}}":   "web- b h",
		"{kind: CronJob, metadata: {name: job}, spec: {jobTemplate: {spec: {template: {spec: {hostname: h}}}}}}":           "job-  h",
		"{kind: PodTemplate, metadata: {name: t}, template: {metadata: {name: own, labels: {a: c}}, spec: {hostname: h}}}": "t- c h",
		"{kind: ConfigMap, metadata: {name: c}}": "a ConfigMap has no pod template",
	} {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
			t.Fatal(err)
		}
		var got string
		if pod, err := podOfTemplate(object); err != nil {
			got = err.Error()
		} else {
			got = pod.Name + strings.Join([]string{pod.GenerateName, pod.Labels["a"], pod.Spec.Hostname}, " ")
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
