package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

// plans overrides the built-in plans by name and adds new ones. Without plan_order a new plan stands behind the last one
// that has limits.
func (b *builder) plans(f *file) {
	seen := map[string]bool{}
	for i := range f.Plans {
		path := fmt.Sprintf("plans[%d]", i)
		p := &f.Plans[i]
		switch {
		case p.Name == nil:
			b.missing(path, "name", "needs a name")
			continue
		case !validName(*p.Name):
			b.at(path+".name", "must match [a-z0-9][a-z0-9-]{0,31}")
			continue
		case seen[*p.Name]:
			b.at(path+".name", "stands there twice: %s", *p.Name)
			continue
		}
		seen[*p.Name] = true
		b.plan(path, p, f.Limits.OpenGenerations)
	}
	if f.PlanOrder != nil {
		b.planOrder(f.PlanOrder)
	}
}

func (b *builder) plan(path string, p *filePlan, open *int64) {
	at := slices.IndexFunc(b.Plans, func(have elumenta.Plan) bool { return have.Name == *p.Name })
	if at < 0 {
		fresh := elumenta.Plan{Name: *p.Name, OpenGenerations: 200}
		if open != nil {
			fresh.OpenGenerations = max(0, *open)
		}
		if p.Unlimited != nil && *p.Unlimited {
			fresh.OpenGenerations = 0
		}
		at = len(b.Plans)
		for at > 0 && b.Plans[at-1].Unlimited {
			at--
		}
		b.Plans = slices.Insert(b.Plans, at, fresh)
	}
	plan := &b.Plans[at]
	if p.Unlimited != nil {
		plan.Unlimited = *p.Unlimited
	}
	b.setTokens(&plan.OnceTokens, p.OnceTokens, path+".once_tokens")
	b.setTokens(&plan.MonthlyTokens, p.MonthlyTokens, path+".monthly_tokens")
	b.setCount(&plan.PerHour, p.PerHour, path+".per_hour")
	b.setCount(&plan.PerDay, p.PerDay, path+".per_day")
	b.setCount(&plan.OpenGenerations, p.OpenGenerations, path+".open_generations")
	if plan.Unlimited && (plan.OnceTokens > 0 || plan.MonthlyTokens > 0) {
		b.at(path, "is unlimited and has tokens: it is one or the other")
	}
}

// setTokens bounds a number of tokens as a top-up is, so that no sum of them can be larger than a balance.
func (b *builder) setTokens(field *int64, v *int64, path string) {
	if v != nil && *v > elumenta.MaxTopup {
		b.at(path, "must be at most %d", int64(elumenta.MaxTopup))
		return
	}
	b.setCount(field, v, path)
}

func (b *builder) planOrder(order []string) {
	var sorted elumenta.Plans
	for i, name := range order {
		path := fmt.Sprintf("plan_order[%d]", i)
		plan, ok := b.Plans.Get(name)
		if !ok {
			b.at(path, "is no plan: %q; there are %s", name, strings.Join(b.Plans.Names(), ", "))
			continue
		}
		if slices.Contains(order[:i], name) {
			b.at(path, "stands there twice: %s", name)
			continue
		}
		sorted = append(sorted, plan)
	}
	missing := slices.DeleteFunc(b.Plans.Names(), func(name string) bool { return slices.Contains(order, name) })
	if len(missing) > 0 {
		b.at("plan_order", "must name every plan: without %s", strings.Join(missing, ", "))
	}
	if len(sorted) == len(b.Plans) {
		b.Plans = sorted
	}
}

func validName(s string) bool {
	if len(s) == 0 || len(s) > 32 || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
