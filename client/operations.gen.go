// Code generated from the server's OpenAPI document by oapi-codegen v2.8.2: make clients. DO NOT EDIT.

package client

import (
	"context"
	"iter"
	"net/http"
)

// AdminListAccounts: list accounts, newest first. For accounts with the role admin; others get 403.
func (c *Client) AdminListAccounts(ctx context.Context, params AdminListAccountsParams, options ...Option) (*PageAdminAccount, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/accounts", options: options}
	query(&r, "q", params.Q)
	query(&r, "plan", params.Plan)
	query(&r, "suspended", params.Suspended)
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	return do[PageAdminAccount](ctx, c, &r)
}

// AdminListAccountsAll yields the items of all pages of [Client.AdminListAccounts], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) AdminListAccountsAll(ctx context.Context, params AdminListAccountsParams, options ...Option) iter.Seq2[AdminAccount, error] {
	return all(params.Cursor, func(cursor string) ([]AdminAccount, *string, error) {
		params.Cursor = cursor
		page, err := c.AdminListAccounts(ctx, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// AdminCreateAccount: create an account. For accounts with the role admin; others get 403.
func (c *Client) AdminCreateAccount(ctx context.Context, body NewAccount, options ...Option) (*AdminAccount, error) {
	r := request{method: http.MethodPost, path: "/api/v2/admin/accounts", body: body, options: options}
	return do[AdminAccount](ctx, c, &r)
}

// AdminGetAccount: read an account. For accounts with the role admin; others get 403.
func (c *Client) AdminGetAccount(ctx context.Context, id string, options ...Option) (*AdminAccount, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/accounts/{id}", options: options}
	r.fill("id", id)
	return do[AdminAccount](ctx, c, &r)
}

// AdminUpdateAccount: change an account's name or role. The last admin who is not suspended stays one, and the built-in author of the starter assistants cannot be one (409). For accounts with the role admin; others get 403.
func (c *Client) AdminUpdateAccount(ctx context.Context, id string, body UpdateAccount, options ...Option) (*AdminAccount, error) {
	r := request{method: http.MethodPatch, path: "/api/v2/admin/accounts/{id}", body: body, options: options}
	r.fill("id", id)
	return do[AdminAccount](ctx, c, &r)
}

// AdminListKeys: list an account's keys, newest first. For accounts with the role admin; others get 403.
func (c *Client) AdminListKeys(ctx context.Context, id string, params AdminListKeysParams, options ...Option) (*PageAdminKey, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/accounts/{id}/keys", options: options}
	r.fill("id", id)
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	return do[PageAdminKey](ctx, c, &r)
}

// AdminListKeysAll yields the items of all pages of [Client.AdminListKeys], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) AdminListKeysAll(ctx context.Context, id string, params AdminListKeysParams, options ...Option) iter.Seq2[AdminKey, error] {
	return all(params.Cursor, func(cursor string) ([]AdminKey, *string, error) {
		params.Cursor = cursor
		page, err := c.AdminListKeys(ctx, id, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// AdminListLedger: read an account's journal, newest first. Every movement of its tokens, with the balance after it. For accounts with the role admin; others get 403.
func (c *Client) AdminListLedger(ctx context.Context, id string, params AdminListLedgerParams, options ...Option) (*PageLedger, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/accounts/{id}/ledger", options: options}
	r.fill("id", id)
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	query(&r, "from", params.From)
	query(&r, "to", params.To)
	return do[PageLedger](ctx, c, &r)
}

// AdminListLedgerAll yields the items of all pages of [Client.AdminListLedger], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) AdminListLedgerAll(ctx context.Context, id string, params AdminListLedgerParams, options ...Option) iter.Seq2[Ledger, error] {
	return all(params.Cursor, func(cursor string) ([]Ledger, *string, error) {
		params.Cursor = cursor
		page, err := c.AdminListLedger(ctx, id, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// AdminSetPlan: put an account on a plan. The plan begins now: what is left of the old plan's tokens expires, the new plan's are granted, top-ups stay. An account that is on the plan keeps its month and its tokens, and only the plan's end changes. For accounts with the role admin; others get 403.
func (c *Client) AdminSetPlan(ctx context.Context, id string, body SetPlan, options ...Option) (*AdminAccount, error) {
	r := request{method: http.MethodPut, path: "/api/v2/admin/accounts/{id}/plan", body: body, options: options}
	r.fill("id", id)
	return do[AdminAccount](ctx, c, &r)
}

// AdminResume: end a suspension. For accounts with the role admin; others get 403.
func (c *Client) AdminResume(ctx context.Context, id string, body Reason, options ...Option) (*AdminAccount, error) {
	r := request{method: http.MethodPost, path: "/api/v2/admin/accounts/{id}/resume", body: body, options: options}
	r.fill("id", id)
	return do[AdminAccount](ctx, c, &r)
}

// AdminSuspend: suspend an account, at once. Its keys do not work, and its assistants are not listed and of no use to others, pinned or not. The last admin cannot be suspended (409). For accounts with the role admin; others get 403.
func (c *Client) AdminSuspend(ctx context.Context, id string, body Reason, options ...Option) (*AdminAccount, error) {
	r := request{method: http.MethodPost, path: "/api/v2/admin/accounts/{id}/suspend", body: body, options: options}
	r.fill("id", id)
	return do[AdminAccount](ctx, c, &r)
}

// AdminTopup: add tokens that do not expire. With an Idempotency-Key, a repetition adds nothing and answers with the account as it is. For accounts with the role admin; others get 403.
func (c *Client) AdminTopup(ctx context.Context, id string, body Topup, options ...Option) (*AdminAccount, error) {
	r := request{method: http.MethodPost, path: "/api/v2/admin/accounts/{id}/topups", body: body, options: options}
	r.fill("id", id)
	return do[AdminAccount](ctx, c, &r)
}

// AdminGetAssistant: read anyone's assistant, to judge it. With its instructions, if it is or was public, is reported or taken down. Each time is in the audit trail. For accounts with the role admin; others get 403.
func (c *Client) AdminGetAssistant(ctx context.Context, id string, params AdminGetAssistantParams, options ...Option) (*Review, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/assistants/{id}", options: options}
	r.fill("id", id)
	query(&r, "version", params.Version)
	return do[Review](ctx, c, &r)
}

// AdminAllowAssistant: let a taken-down assistant be published again. It stays private until its author publishes it; a starter assistant is published at once. For accounts with the role admin; others get 403.
func (c *Client) AdminAllowAssistant(ctx context.Context, id string, body Reason, options ...Option) error {
	r := request{method: http.MethodPost, path: "/api/v2/admin/assistants/{id}/allow", body: body, options: options}
	r.fill("id", id)
	return c.do(ctx, &r, nil)
}

// AdminListAssistantReports: read an assistant's reports, newest first. For accounts with the role admin; others get 403.
func (c *Client) AdminListAssistantReports(ctx context.Context, id string, params AdminListAssistantReportsParams, options ...Option) (*PageAdminReport, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/assistants/{id}/reports", options: options}
	r.fill("id", id)
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	return do[PageAdminReport](ctx, c, &r)
}

// AdminListAssistantReportsAll yields the items of all pages of [Client.AdminListAssistantReports], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) AdminListAssistantReportsAll(ctx context.Context, id string, params AdminListAssistantReportsParams, options ...Option) iter.Seq2[AdminReport, error] {
	return all(params.Cursor, func(cursor string) ([]AdminReport, *string, error) {
		params.Cursor = cursor
		page, err := c.AdminListAssistantReports(ctx, id, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// AdminDismissReports: dismiss an assistant's open reports. The assistant stays as it is. For accounts with the role admin; others get 403.
func (c *Client) AdminDismissReports(ctx context.Context, id string, body Reason, options ...Option) error {
	r := request{method: http.MethodPost, path: "/api/v2/admin/assistants/{id}/reports/dismiss", body: body, options: options}
	r.fill("id", id)
	return c.do(ctx, &r, nil)
}

// AdminUnpublishAssistant: take anyone's assistant down. It leaves the marketplace, and pins of all its versions stop at once. Its open reports are upheld. Its author finds a new, private version, reads the reason, and cannot publish it until an operator allows that. For accounts with the role admin; others get 403.
func (c *Client) AdminUnpublishAssistant(ctx context.Context, id string, body Unpublish, options ...Option) error {
	r := request{method: http.MethodPost, path: "/api/v2/admin/assistants/{id}/unpublish", body: body, options: options}
	r.fill("id", id)
	return c.do(ctx, &r, nil)
}

// AdminListAudit: read the audit trail, newest first. Who did what to what, when and from where. hash covers an entry and all before it. For accounts with the role admin; others get 403.
func (c *Client) AdminListAudit(ctx context.Context, params AdminListAuditParams, options ...Option) (*PageAudit, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/audit", options: options}
	query(&r, "account", params.Account)
	query(&r, "action", params.Action)
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	return do[PageAudit](ctx, c, &r)
}

// AdminListAuditAll yields the items of all pages of [Client.AdminListAudit], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) AdminListAuditAll(ctx context.Context, params AdminListAuditParams, options ...Option) iter.Seq2[Audit, error] {
	return all(params.Cursor, func(cursor string) ([]Audit, *string, error) {
		params.Cursor = cursor
		page, err := c.AdminListAudit(ctx, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// AdminFindKeys: find keys by how they begin. The first 8 characters of a key that leaked say whose it is. For accounts with the role admin; others get 403.
func (c *Client) AdminFindKeys(ctx context.Context, params AdminFindKeysParams, options ...Option) (*PageAdminKey, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/keys", options: options}
	query(&r, "prefix", params.Prefix)
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	return do[PageAdminKey](ctx, c, &r)
}

// AdminFindKeysAll yields the items of all pages of [Client.AdminFindKeys], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) AdminFindKeysAll(ctx context.Context, params AdminFindKeysParams, options ...Option) iter.Seq2[AdminKey, error] {
	return all(params.Cursor, func(cursor string) ([]AdminKey, *string, error) {
		params.Cursor = cursor
		page, err := c.AdminFindKeys(ctx, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// AdminRevokeKey: revoke anyone's key, at once. For accounts with the role admin; others get 403.
func (c *Client) AdminRevokeKey(ctx context.Context, id string, options ...Option) error {
	r := request{method: http.MethodDelete, path: "/api/v2/admin/keys/{id}", options: options}
	r.fill("id", id)
	return c.do(ctx, &r, nil)
}

// AdminListProviders: see providers, their models and their health. Which are configured, what switches the others on, and how calls of this node went since it started. For accounts with the role admin; others get 403.
func (c *Client) AdminListProviders(ctx context.Context, options ...Option) (*Providers, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/providers", options: options}
	return do[Providers](ctx, c, &r)
}

// AdminListReports: list reported assistants. Those with open reports, the one that has waited longest first; or with reports that were decided on, the last decision first. For accounts with the role admin; others get 403.
func (c *Client) AdminListReports(ctx context.Context, params AdminListReportsParams, options ...Option) (*PageReportedAssistant, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/reports", options: options}
	query(&r, "state", params.State)
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	return do[PageReportedAssistant](ctx, c, &r)
}

// AdminListReportsAll yields the items of all pages of [Client.AdminListReports], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) AdminListReportsAll(ctx context.Context, params AdminListReportsParams, options ...Option) iter.Seq2[ReportedAssistant, error] {
	return all(params.Cursor, func(cursor string) ([]ReportedAssistant, *string, error) {
		params.Cursor = cursor
		page, err := c.AdminListReports(ctx, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// AdminGetUsage: add up everyone's generations. In whole days, UTC: those that the range touches. What was settled is in it within two seconds. For accounts with the role admin; others get 403.
func (c *Client) AdminGetUsage(ctx context.Context, params AdminGetUsageParams, options ...Option) (*Usage, error) {
	r := request{method: http.MethodGet, path: "/api/v2/admin/usage", options: options}
	query(&r, "from", params.From)
	query(&r, "to", params.To)
	query(&r, "group_by", params.GroupBy)
	return do[Usage](ctx, c, &r)
}

// ListAssistants: list your assistants, newest first.
func (c *Client) ListAssistants(ctx context.Context, params ListAssistantsParams, options ...Option) (*PageAssistant, error) {
	r := request{method: http.MethodGet, path: "/api/v2/assistants", options: options}
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	query(&r, "q", params.Q)
	return do[PageAssistant](ctx, c, &r)
}

// ListAssistantsAll yields the items of all pages of [Client.ListAssistants], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) ListAssistantsAll(ctx context.Context, params ListAssistantsParams, options ...Option) iter.Seq2[Assistant, error] {
	return all(params.Cursor, func(cursor string) ([]Assistant, *string, error) {
		params.Cursor = cursor
		page, err := c.ListAssistants(ctx, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// CreateAssistant: create an assistant.
func (c *Client) CreateAssistant(ctx context.Context, body CreateAssistant, options ...Option) (*Assistant, error) {
	r := request{method: http.MethodPost, path: "/api/v2/assistants", body: body, options: options}
	return do[Assistant](ctx, c, &r)
}

// ImportAssistant: create an assistant with its saved versions. The versions, the oldest first, keep their numbers, notes and dates; the last one is the newest. The assistant has an id of its own. A version that is public is checked as one that is published.
func (c *Client) ImportAssistant(ctx context.Context, body ImportAssistant, options ...Option) (*Assistant, error) {
	r := request{method: http.MethodPost, path: "/api/v2/assistants/import", body: body, options: options}
	return do[Assistant](ctx, c, &r)
}

// ListMarketplace: list or search published assistants. Without q, in the order that sort names: popular goes by how many different accounts used an assistant in the last 30 days, as counted every ten minutes, and what is not counted yet stands behind, newest first. A cursor of popular, or of a search, is good for an hour; then 400 bad_request says to start again.
func (c *Client) ListMarketplace(ctx context.Context, params ListMarketplaceParams, options ...Option) (*PageListing, error) {
	r := request{method: http.MethodGet, path: "/api/v2/assistants/marketplace", options: options}
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	query(&r, "category", params.Category)
	query(&r, "q", params.Q)
	query(&r, "sort", params.Sort)
	return do[PageListing](ctx, c, &r)
}

// ListMarketplaceAll yields the items of all pages of [Client.ListMarketplace], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) ListMarketplaceAll(ctx context.Context, params ListMarketplaceParams, options ...Option) iter.Seq2[Listing, error] {
	return all(params.Cursor, func(cursor string) ([]Listing, *string, error) {
		params.Cursor = cursor
		page, err := c.ListMarketplace(ctx, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// ListCategories: list the categories with how many assistants each has.
func (c *Client) ListCategories(ctx context.Context, options ...Option) (*ItemsCategory, error) {
	r := request{method: http.MethodGet, path: "/api/v2/assistants/marketplace/categories", options: options}
	return do[ItemsCategory](ctx, c, &r)
}

// DeleteAssistant: delete an assistant.
func (c *Client) DeleteAssistant(ctx context.Context, id string, options ...Option) error {
	r := request{method: http.MethodDelete, path: "/api/v2/assistants/{id}", options: options}
	r.fill("id", id)
	return c.do(ctx, &r, nil)
}

// GetAssistant: read an assistant. Your own with all its fields, or the public view of a published one of another account.
func (c *Client) GetAssistant(ctx context.Context, id string, options ...Option) (*AssistantOrListing, error) {
	r := request{method: http.MethodGet, path: "/api/v2/assistants/{id}", options: options}
	r.fill("id", id)
	return do[AssistantOrListing](ctx, c, &r)
}

// UpdateAssistant: update an assistant. Fields that are present are replaced, fields that are absent stay, null clears an optional one. What changes something makes a version.
func (c *Client) UpdateAssistant(ctx context.Context, id string, body UpdateAssistant, options ...Option) (*Assistant, error) {
	r := request{method: http.MethodPut, path: "/api/v2/assistants/{id}", body: body, options: options}
	r.fill("id", id)
	return do[Assistant](ctx, c, &r)
}

// CopyAssistant: copy an assistant to make one of your own from it. A published assistant that is copyable, or any of your own. The copy is private, with the fields of the newest version or of the one that you name; its metadata names that version as copied_from, and nothing else. Of an assistant that is not copyable the author keeps the instructions to themselves (403).
func (c *Client) CopyAssistant(ctx context.Context, id string, body CopyAssistant, options ...Option) (*Assistant, error) {
	r := request{method: http.MethodPost, path: "/api/v2/assistants/{id}/copy", body: body, options: options}
	r.fill("id", id)
	return do[Assistant](ctx, c, &r)
}

// ListLabels: list an assistant's labels by name.
func (c *Client) ListLabels(ctx context.Context, id string, options ...Option) (*ItemsLabel, error) {
	r := request{method: http.MethodGet, path: "/api/v2/assistants/{id}/labels", options: options}
	r.fill("id", id)
	return do[ItemsLabel](ctx, c, &r)
}

// DeleteLabel: delete a label: calls of it stop at once.
func (c *Client) DeleteLabel(ctx context.Context, id string, label string, options ...Option) error {
	r := request{method: http.MethodDelete, path: "/api/v2/assistants/{id}/labels/{label}", options: options}
	r.fill("id", id)
	r.fill("label", label)
	return c.do(ctx, &r, nil)
}

// SetLabel: make or move a label. asst_…@LABEL then calls that version, on every node, from the next request on. A split divides calls by weight: by a hash of user, so that one person stays on one version, and by chance without.
func (c *Client) SetLabel(ctx context.Context, id string, label string, body NewLabel, options ...Option) (*Label, error) {
	r := request{method: http.MethodPut, path: "/api/v2/assistants/{id}/labels/{label}", body: body, options: options}
	r.fill("id", id)
	r.fill("label", label)
	return do[Label](ctx, c, &r)
}

// ReportAssistant: report an assistant to the operators. One that is published, or has versions that others may pin. An account has one open report for each assistant: another one replaces it (200), and takes its place. Once operators have decided on it it stays (409) until the assistant has a newer public version. The author does not learn who reported. An account may have 100 open reports (422).
func (c *Client) ReportAssistant(ctx context.Context, id string, body NewReport, options ...Option) (*Report, error) {
	r := request{method: http.MethodPost, path: "/api/v2/assistants/{id}/reports", body: body, options: options}
	r.fill("id", id)
	return do[Report](ctx, c, &r)
}

// GetUses: see how much others use an assistant of yours.
func (c *Client) GetUses(ctx context.Context, id string, options ...Option) (*Uses, error) {
	r := request{method: http.MethodGet, path: "/api/v2/assistants/{id}/uses", options: options}
	r.fill("id", id)
	return do[Uses](ctx, c, &r)
}

// ListVersions: list an assistant's versions, newest first.
func (c *Client) ListVersions(ctx context.Context, id string, params ListVersionsParams, options ...Option) (*PageVersion, error) {
	r := request{method: http.MethodGet, path: "/api/v2/assistants/{id}/versions", options: options}
	r.fill("id", id)
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	return do[PageVersion](ctx, c, &r)
}

// ListVersionsAll yields the items of all pages of [Client.ListVersions], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) ListVersionsAll(ctx context.Context, id string, params ListVersionsParams, options ...Option) iter.Seq2[Version, error] {
	return all(params.Cursor, func(cursor string) ([]Version, *string, error) {
		params.Cursor = cursor
		page, err := c.ListVersions(ctx, id, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// WithdrawVersion: withdraw a version that is not the newest. It is gone from the list, and pins of it stop at once. The newest cannot be withdrawn (422).
func (c *Client) WithdrawVersion(ctx context.Context, id string, n int, options ...Option) error {
	r := request{method: http.MethodDelete, path: "/api/v2/assistants/{id}/versions/{n}", options: options}
	r.fill("id", id)
	r.fill("n", n)
	return c.do(ctx, &r, nil)
}

// GetVersion: read a saved version.
func (c *Client) GetVersion(ctx context.Context, id string, n int, options ...Option) (*Version, error) {
	r := request{method: http.MethodGet, path: "/api/v2/assistants/{id}/versions/{n}", options: options}
	r.fill("id", id)
	r.fill("n", n)
	return do[Version](ctx, c, &r)
}

// RestoreVersion: make a version the newest again, as a new version. Visibility stays as it is: a version that could not be published cannot be restored while the assistant is (422).
func (c *Client) RestoreVersion(ctx context.Context, id string, n int, options ...Option) (*Assistant, error) {
	r := request{method: http.MethodPost, path: "/api/v2/assistants/{id}/versions/{n}/restore", options: options}
	r.fill("id", id)
	r.fill("n", n)
	return do[Assistant](ctx, c, &r)
}

// GetBalance: read your balance.
func (c *Client) GetBalance(ctx context.Context, options ...Option) (*Balance, error) {
	r := request{method: http.MethodGet, path: "/api/v2/balance", options: options}
	return do[Balance](ctx, c, &r)
}

// GetStatement: read your statement, newest first. Every movement of your tokens, with the balance after it. An entry adds to the balance if its destination is available, and takes from it if its source is. On an unlimited plan generations move none.
func (c *Client) GetStatement(ctx context.Context, params GetStatementParams, options ...Option) (*PageStatement, error) {
	r := request{method: http.MethodGet, path: "/api/v2/balance/statement", options: options}
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	query(&r, "from", params.From)
	query(&r, "to", params.To)
	return do[PageStatement](ctx, c, &r)
}

// GetStatementAll yields the items of all pages of [Client.GetStatement], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) GetStatementAll(ctx context.Context, params GetStatementParams, options ...Option) iter.Seq2[Statement, error] {
	return all(params.Cursor, func(cursor string) ([]Statement, *string, error) {
		params.Cursor = cursor
		page, err := c.GetStatement(ctx, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// Generate: generate an answer. Nothing of the conversation is kept. The top level beats params; an unknown field of either is left out and named in warnings. With stream true the answer is a stream of server-sent events; what fails before it opens is an ordinary error, what fails after it is an event of the type error.
func (c *Client) Generate(ctx context.Context, body GenerateRequest, options ...Option) (*Generation, error) {
	r := request{method: http.MethodPost, path: "/api/v2/generate", body: body, options: options}
	return do[Generation](ctx, c, &r)
}

// ListKeys: list your keys, newest first.
func (c *Client) ListKeys(ctx context.Context, params ListKeysParams, options ...Option) (*PageKey, error) {
	r := request{method: http.MethodGet, path: "/api/v2/keys", options: options}
	query(&r, "limit", params.Limit)
	query(&r, "cursor", params.Cursor)
	return do[PageKey](ctx, c, &r)
}

// ListKeysAll yields the items of all pages of [Client.ListKeys], each page asked for when it is needed. An error is the last that is yielded.
func (c *Client) ListKeysAll(ctx context.Context, params ListKeysParams, options ...Option) iter.Seq2[Key, error] {
	return all(params.Cursor, func(cursor string) ([]Key, *string, error) {
		params.Cursor = cursor
		page, err := c.ListKeys(ctx, params, options...)
		if err != nil {
			return nil, nil, err
		}
		return page.Items, page.NextCursor, nil
	})
}

// CreateKey: create an API key. The only time that the key is shown. A limit that is absent or null is none. A limited key makes and changes no keys.
func (c *Client) CreateKey(ctx context.Context, body CreateKey, options ...Option) (*CreatedKey, error) {
	r := request{method: http.MethodPost, path: "/api/v2/keys", body: body, options: options}
	return do[CreatedKey](ctx, c, &r)
}

// GetOwnKey: read the key of this request. What it is limited to, and what it has spent of its budget. Every key may read itself.
func (c *Client) GetOwnKey(ctx context.Context, options ...Option) (*Key, error) {
	r := request{method: http.MethodGet, path: "/api/v2/keys/me", options: options}
	return do[Key](ctx, c, &r)
}

// RevokeKey: revoke a key, at once.
func (c *Client) RevokeKey(ctx context.Context, id string, options ...Option) error {
	r := request{method: http.MethodDelete, path: "/api/v2/keys/{id}", options: options}
	r.fill("id", id)
	return c.do(ctx, &r, nil)
}

// UpdateKey: change a key's name or limits. Fields that are present are replaced, fields that are absent stay, null lifts a limit. It counts for the next request.
func (c *Client) UpdateKey(ctx context.Context, id string, body UpdateKey, options ...Option) (*Key, error) {
	r := request{method: http.MethodPatch, path: "/api/v2/keys/{id}", body: body, options: options}
	r.fill("id", id)
	return do[Key](ctx, c, &r)
}

// ListModels: list the catalog's models.
func (c *Client) ListModels(ctx context.Context, params ListModelsParams, options ...Option) (*ItemsModel, error) {
	r := request{method: http.MethodGet, path: "/api/v2/models", options: options}
	query(&r, "category", params.Category)
	return do[ItemsModel](ctx, c, &r)
}

// GetModel: read a model.
func (c *Client) GetModel(ctx context.Context, slug string, options ...Option) (*Model, error) {
	r := request{method: http.MethodGet, path: "/api/v2/models/{slug}", options: options}
	r.fill("slug", slug)
	return do[Model](ctx, c, &r)
}

// GetUsage: add up your generations. What was settled before the call is in it. Whole days cost the same however many generations there were.
func (c *Client) GetUsage(ctx context.Context, params GetUsageParams, options ...Option) (*Usage, error) {
	r := request{method: http.MethodGet, path: "/api/v2/usage", options: options}
	query(&r, "from", params.From)
	query(&r, "to", params.To)
	query(&r, "group_by", params.GroupBy)
	return do[Usage](ctx, c, &r)
}

// GetUser: read your account.
func (c *Client) GetUser(ctx context.Context, options ...Option) (*User, error) {
	r := request{method: http.MethodGet, path: "/api/v2/user/me", options: options}
	return do[User](ctx, c, &r)
}

// UpdateUser: change your display name.
func (c *Client) UpdateUser(ctx context.Context, body DisplayName, options ...Option) (*User, error) {
	r := request{method: http.MethodPatch, path: "/api/v2/user/me", body: body, options: options}
	return do[User](ctx, c, &r)
}
