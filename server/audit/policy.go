package audit

import (
	_ "embed"
	"fmt"
	"os"

	"k8s.io/apiserver/pkg/apis/audit"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/apiserver/pkg/apis/audit/validation"
	"sigs.k8s.io/yaml"
)

// defaultPolicy is for those who name a log and no policy: no noise, and no secrets.
//
//go:embed policy.yaml
var defaultPolicy []byte

// loadPolicy reads a Policy from a file, or the default one where none is named.
func loadPolicy(path string) (*auditv1.Policy, error) {
	if path == "" {
		return parsePolicy(defaultPolicy)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the audit policy: %w", err)
	}
	p, err := parsePolicy(raw)
	if err != nil {
		return nil, fmt.Errorf("the audit policy in %s: %w", path, err)
	}
	return p, nil
}

// parsePolicy reads a Policy in YAML or JSON; fields that a Policy does not have are errors.
func parsePolicy(raw []byte) (*auditv1.Policy, error) {
	var p auditv1.Policy
	if err := yaml.UnmarshalStrict(raw, &p); err != nil {
		return nil, err
	}
	if p.APIVersion != auditv1.SchemeGroupVersion.String() || p.Kind != "Policy" {
		return nil, fmt.Errorf("it is a %s of %s, not a Policy of %s", p.Kind, p.APIVersion, auditv1.SchemeGroupVersion)
	}
	if len(p.Rules) == 0 {
		return nil, fmt.Errorf("it has no rules")
	}
	var internal audit.Policy
	if err := auditv1.Convert_v1_Policy_To_audit_Policy(&p, &internal, nil); err != nil {
		return nil, err
	}
	return &p, validation.ValidatePolicy(&internal).ToAggregate()
}
