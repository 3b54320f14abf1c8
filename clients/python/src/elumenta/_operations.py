# Generated from the server's OpenAPI document by oapi-codegen v2.8.2: make clients. Do not edit.
"""The calls of the server."""

from __future__ import annotations

from typing import Iterator, Literal, Optional

from . import types
from ._transport import Transport, path


class Operations(Transport):
    """A method for each call. ``timeout`` is in seconds and counts for each wait for the server, instead of the client's."""

    def admin_list_accounts(self, *, q: Optional[str] = None, plan: Optional[str] = None, suspended: Optional[Literal["true", "false"]] = None, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> types.PageAdminAccount:
        """List accounts, newest first. For accounts with the role admin; others get 403."""
        return self._call("GET", "/api/v2/admin/accounts", query={"q": q, "plan": plan, "suspended": suspended, "limit": limit, "cursor": cursor}, timeout=timeout)

    def admin_list_accounts_all(self, *, q: Optional[str] = None, plan: Optional[str] = None, suspended: Optional[Literal["true", "false"]] = None, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.AdminAccount]:
        """The items of all pages of :meth:`admin_list_accounts`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.admin_list_accounts(q=q, plan=plan, suspended=suspended, limit=limit, cursor=cursor, timeout=timeout))

    def admin_create_account(self, body: types.NewAccount, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> types.AdminAccount:
        """Create an account. For accounts with the role admin; others get 403."""
        return self._call("POST", "/api/v2/admin/accounts", body=body, headers={"Idempotency-Key": idempotency_key}, timeout=timeout)

    def admin_get_account(self, id: str, *, timeout: Optional[float] = None) -> types.AdminAccount:
        """Read an account. For accounts with the role admin; others get 403."""
        return self._call("GET", path("/api/v2/admin/accounts/{id}", id=id), timeout=timeout)

    def admin_update_account(self, id: str, body: types.UpdateAccount, *, timeout: Optional[float] = None) -> types.AdminAccount:
        """Change an account's name or role. The last admin who is not suspended stays one, and the built-in author of the starter assistants cannot be one (409). For accounts with the role admin; others get 403."""
        return self._call("PATCH", path("/api/v2/admin/accounts/{id}", id=id), body=body, timeout=timeout)

    def admin_list_keys(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> types.PageAdminKey:
        """List an account's keys, newest first. For accounts with the role admin; others get 403."""
        return self._call("GET", path("/api/v2/admin/accounts/{id}/keys", id=id), query={"limit": limit, "cursor": cursor}, timeout=timeout)

    def admin_list_keys_all(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.AdminKey]:
        """The items of all pages of :meth:`admin_list_keys`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.admin_list_keys(id, limit=limit, cursor=cursor, timeout=timeout))

    def admin_list_ledger(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None, from_: Optional[str] = None, to: Optional[str] = None, timeout: Optional[float] = None) -> types.PageLedger:
        """Read an account's journal, newest first. Every movement of its tokens, with the balance after it. For accounts with the role admin; others get 403."""
        return self._call("GET", path("/api/v2/admin/accounts/{id}/ledger", id=id), query={"limit": limit, "cursor": cursor, "from": from_, "to": to}, timeout=timeout)

    def admin_list_ledger_all(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None, from_: Optional[str] = None, to: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.Ledger]:
        """The items of all pages of :meth:`admin_list_ledger`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.admin_list_ledger(id, limit=limit, cursor=cursor, from_=from_, to=to, timeout=timeout))

    def admin_set_plan(self, id: str, body: types.SetPlan, *, timeout: Optional[float] = None) -> types.AdminAccount:
        """Put an account on a plan. The plan begins now: what is left of the old plan's tokens expires, the new plan's are granted, top-ups stay. An account that is on the plan keeps its month and its tokens, and only the plan's end changes. For accounts with the role admin; others get 403."""
        return self._call("PUT", path("/api/v2/admin/accounts/{id}/plan", id=id), body=body, timeout=timeout)

    def admin_resume(self, id: str, body: Optional[types.Reason] = None, *, timeout: Optional[float] = None) -> types.AdminAccount:
        """End a suspension. For accounts with the role admin; others get 403."""
        return self._call("POST", path("/api/v2/admin/accounts/{id}/resume", id=id), body=body, timeout=timeout)

    def admin_suspend(self, id: str, body: Optional[types.Reason] = None, *, timeout: Optional[float] = None) -> types.AdminAccount:
        """Suspend an account, at once. Its keys do not work, and its assistants are not listed and of no use to others, pinned or not. The last admin cannot be suspended (409). For accounts with the role admin; others get 403."""
        return self._call("POST", path("/api/v2/admin/accounts/{id}/suspend", id=id), body=body, timeout=timeout)

    def admin_topup(self, id: str, body: types.Topup, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> types.AdminAccount:
        """Add tokens that do not expire. With an Idempotency-Key, a repetition adds nothing and answers with the account as it is. For accounts with the role admin; others get 403."""
        return self._call("POST", path("/api/v2/admin/accounts/{id}/topups", id=id), body=body, headers={"Idempotency-Key": idempotency_key}, timeout=timeout)

    def admin_get_assistant(self, id: str, *, version: Optional[int] = None, timeout: Optional[float] = None) -> types.Review:
        """Read anyone's assistant, to judge it. With its instructions, if it is or was public, is reported or taken down. Each time is in the audit trail. For accounts with the role admin; others get 403."""
        return self._call("GET", path("/api/v2/admin/assistants/{id}", id=id), query={"version": version}, timeout=timeout)

    def admin_allow_assistant(self, id: str, body: Optional[types.Reason] = None, *, timeout: Optional[float] = None) -> None:
        """Let a taken-down assistant be published again. It stays private until its author publishes it; a starter assistant is published at once. For accounts with the role admin; others get 403."""
        return self._call("POST", path("/api/v2/admin/assistants/{id}/allow", id=id), body=body, timeout=timeout)

    def admin_list_assistant_reports(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> types.PageAdminReport:
        """Read an assistant's reports, newest first. For accounts with the role admin; others get 403."""
        return self._call("GET", path("/api/v2/admin/assistants/{id}/reports", id=id), query={"limit": limit, "cursor": cursor}, timeout=timeout)

    def admin_list_assistant_reports_all(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.AdminReport]:
        """The items of all pages of :meth:`admin_list_assistant_reports`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.admin_list_assistant_reports(id, limit=limit, cursor=cursor, timeout=timeout))

    def admin_dismiss_reports(self, id: str, body: Optional[types.Reason] = None, *, timeout: Optional[float] = None) -> None:
        """Dismiss an assistant's open reports. The assistant stays as it is. For accounts with the role admin; others get 403."""
        return self._call("POST", path("/api/v2/admin/assistants/{id}/reports/dismiss", id=id), body=body, timeout=timeout)

    def admin_unpublish_assistant(self, id: str, body: types.Unpublish, *, timeout: Optional[float] = None) -> None:
        """Take anyone's assistant down. It leaves the marketplace, and pins of all its versions stop at once. Its open reports are upheld. Its author finds a new, private version, reads the reason, and cannot publish it until an operator allows that. For accounts with the role admin; others get 403."""
        return self._call("POST", path("/api/v2/admin/assistants/{id}/unpublish", id=id), body=body, timeout=timeout)

    def admin_list_audit(self, *, account: Optional[str] = None, action: Optional[Literal["account.created", "account.renamed", "account.suspended", "account.resumed", "account.role_changed", "account.plan_changed", "account.topped_up", "key.created", "key.changed", "key.revoked", "assistant.published", "assistant.unpublished", "assistant.deleted", "assistant.taken_down", "assistant.allowed", "assistant.read", "assistant.reports_dismissed", "session.started", "session.ended"]] = None, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> types.PageAudit:
        """Read the audit trail, newest first. Who did what to what, when and from where. hash covers an entry and all before it. For accounts with the role admin; others get 403."""
        return self._call("GET", "/api/v2/admin/audit", query={"account": account, "action": action, "limit": limit, "cursor": cursor}, timeout=timeout)

    def admin_list_audit_all(self, *, account: Optional[str] = None, action: Optional[Literal["account.created", "account.renamed", "account.suspended", "account.resumed", "account.role_changed", "account.plan_changed", "account.topped_up", "key.created", "key.changed", "key.revoked", "assistant.published", "assistant.unpublished", "assistant.deleted", "assistant.taken_down", "assistant.allowed", "assistant.read", "assistant.reports_dismissed", "session.started", "session.ended"]] = None, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.Audit]:
        """The items of all pages of :meth:`admin_list_audit`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.admin_list_audit(account=account, action=action, limit=limit, cursor=cursor, timeout=timeout))

    def admin_find_keys(self, *, prefix: str, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> types.PageAdminKey:
        """Find keys by how they begin. The first 8 characters of a key that leaked say whose it is. For accounts with the role admin; others get 403."""
        return self._call("GET", "/api/v2/admin/keys", query={"prefix": prefix, "limit": limit, "cursor": cursor}, timeout=timeout)

    def admin_find_keys_all(self, *, prefix: str, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.AdminKey]:
        """The items of all pages of :meth:`admin_find_keys`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.admin_find_keys(prefix=prefix, limit=limit, cursor=cursor, timeout=timeout))

    def admin_revoke_key(self, id: str, *, timeout: Optional[float] = None) -> None:
        """Revoke anyone's key, at once. For accounts with the role admin; others get 403."""
        return self._call("DELETE", path("/api/v2/admin/keys/{id}", id=id), timeout=timeout)

    def admin_list_providers(self, *, timeout: Optional[float] = None) -> types.Providers:
        """See providers, their models and their health. Which are configured, what switches the others on, and how calls of this node went since it started. For accounts with the role admin; others get 403."""
        return self._call("GET", "/api/v2/admin/providers", timeout=timeout)

    def admin_list_reports(self, *, state: Optional[Literal["open", "dismissed", "upheld"]] = None, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> types.PageReportedAssistant:
        """List reported assistants. Those with open reports, the one that has waited longest first; or with reports that were decided on, the last decision first. For accounts with the role admin; others get 403."""
        return self._call("GET", "/api/v2/admin/reports", query={"state": state, "limit": limit, "cursor": cursor}, timeout=timeout)

    def admin_list_reports_all(self, *, state: Optional[Literal["open", "dismissed", "upheld"]] = None, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.ReportedAssistant]:
        """The items of all pages of :meth:`admin_list_reports`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.admin_list_reports(state=state, limit=limit, cursor=cursor, timeout=timeout))

    def admin_get_usage(self, *, from_: Optional[str] = None, to: Optional[str] = None, group_by: Optional[Literal["day", "model", "account"]] = None, timeout: Optional[float] = None) -> types.Usage:
        """Add up everyone's generations. In whole days, UTC: those that the range touches. What was settled is in it within two seconds. For accounts with the role admin; others get 403."""
        return self._call("GET", "/api/v2/admin/usage", query={"from": from_, "to": to, "group_by": group_by}, timeout=timeout)

    def list_assistants(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, q: Optional[str] = None, timeout: Optional[float] = None) -> types.PageAssistant:
        """List your assistants, newest first."""
        return self._call("GET", "/api/v2/assistants", query={"limit": limit, "cursor": cursor, "q": q}, timeout=timeout)

    def list_assistants_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, q: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.Assistant]:
        """The items of all pages of :meth:`list_assistants`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.list_assistants(limit=limit, cursor=cursor, q=q, timeout=timeout))

    def create_assistant(self, body: types.CreateAssistant, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> types.Assistant:
        """Create an assistant."""
        return self._call("POST", "/api/v2/assistants", body=body, headers={"Idempotency-Key": idempotency_key}, timeout=timeout)

    def import_assistant(self, body: types.ImportAssistant, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> types.Assistant:
        """Create an assistant with its saved versions. The versions, the oldest first, keep their numbers, notes and dates; the last one is the newest. The assistant has an id of its own. A version that is public is checked as one that is published."""
        return self._call("POST", "/api/v2/assistants/import", body=body, headers={"Idempotency-Key": idempotency_key}, timeout=timeout)

    def list_marketplace(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, category: Optional[str] = None, q: Optional[str] = None, sort: Optional[Literal["popular", "new", "name"]] = None, timeout: Optional[float] = None) -> types.PageListing:
        """List or search published assistants. Without q, in the order that sort names: popular goes by how many different accounts used an assistant in the last 30 days, as counted every ten minutes, and what is not counted yet stands behind, newest first. A cursor of popular, or of a search, is good for an hour; then 400 bad_request says to start again."""
        return self._call("GET", "/api/v2/assistants/marketplace", query={"limit": limit, "cursor": cursor, "category": category, "q": q, "sort": sort}, timeout=timeout)

    def list_marketplace_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, category: Optional[str] = None, q: Optional[str] = None, sort: Optional[Literal["popular", "new", "name"]] = None, timeout: Optional[float] = None) -> Iterator[types.Listing]:
        """The items of all pages of :meth:`list_marketplace`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.list_marketplace(limit=limit, cursor=cursor, category=category, q=q, sort=sort, timeout=timeout))

    def list_categories(self, *, timeout: Optional[float] = None) -> types.ItemsCategory:
        """List the categories with how many assistants each has."""
        return self._call("GET", "/api/v2/assistants/marketplace/categories", timeout=timeout)

    def delete_assistant(self, id: str, *, if_match: Optional[int] = None, timeout: Optional[float] = None) -> None:
        """Delete an assistant."""
        return self._call("DELETE", path("/api/v2/assistants/{id}", id=id), headers={"If-Match": if_match}, timeout=timeout)

    def get_assistant(self, id: str, *, timeout: Optional[float] = None) -> types.AssistantOrListing:
        """Read an assistant. Your own with all its fields, or the public view of a published one of another account."""
        return self._call("GET", path("/api/v2/assistants/{id}", id=id), timeout=timeout)

    def update_assistant(self, id: str, body: types.UpdateAssistant, *, if_match: Optional[int] = None, timeout: Optional[float] = None) -> types.Assistant:
        """Update an assistant. Fields that are present are replaced, fields that are absent stay, null clears an optional one. What changes something makes a version."""
        return self._call("PUT", path("/api/v2/assistants/{id}", id=id), body=body, headers={"If-Match": if_match}, timeout=timeout)

    def copy_assistant(self, id: str, body: Optional[types.CopyAssistant] = None, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> types.Assistant:
        """Copy an assistant to make one of your own from it. A published assistant that is copyable, or any of your own. The copy is private, with the fields of the newest version or of the one that you name; its metadata names that version as copied_from, and nothing else. Of an assistant that is not copyable the author keeps the instructions to themselves (403)."""
        return self._call("POST", path("/api/v2/assistants/{id}/copy", id=id), body=body, headers={"Idempotency-Key": idempotency_key}, timeout=timeout)

    def list_labels(self, id: str, *, timeout: Optional[float] = None) -> types.ItemsLabel:
        """List an assistant's labels by name."""
        return self._call("GET", path("/api/v2/assistants/{id}/labels", id=id), timeout=timeout)

    def delete_label(self, id: str, label: str, *, timeout: Optional[float] = None) -> None:
        """Delete a label: calls of it stop at once."""
        return self._call("DELETE", path("/api/v2/assistants/{id}/labels/{label}", id=id, label=label), timeout=timeout)

    def set_label(self, id: str, label: str, body: types.NewLabel, *, timeout: Optional[float] = None) -> types.Label:
        """Make or move a label. asst_…@LABEL then calls that version, on every node, from the next request on. A split divides calls by weight: by a hash of user, so that one person stays on one version, and by chance without."""
        return self._call("PUT", path("/api/v2/assistants/{id}/labels/{label}", id=id, label=label), body=body, timeout=timeout)

    def report_assistant(self, id: str, body: types.NewReport, *, timeout: Optional[float] = None) -> types.Report:
        """Report an assistant to the operators. One that is published, or has versions that others may pin. An account has one open report for each assistant: another one replaces it (200), and takes its place. Once operators have decided on it it stays (409) until the assistant has a newer public version. The author does not learn who reported. An account may have 100 open reports (422)."""
        return self._call("POST", path("/api/v2/assistants/{id}/reports", id=id), body=body, timeout=timeout)

    def get_uses(self, id: str, *, timeout: Optional[float] = None) -> types.Uses:
        """See how much others use an assistant of yours."""
        return self._call("GET", path("/api/v2/assistants/{id}/uses", id=id), timeout=timeout)

    def list_versions(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> types.PageVersion:
        """List an assistant's versions, newest first."""
        return self._call("GET", path("/api/v2/assistants/{id}/versions", id=id), query={"limit": limit, "cursor": cursor}, timeout=timeout)

    def list_versions_all(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.Version]:
        """The items of all pages of :meth:`list_versions`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.list_versions(id, limit=limit, cursor=cursor, timeout=timeout))

    def withdraw_version(self, id: str, n: int, *, timeout: Optional[float] = None) -> None:
        """Withdraw a version that is not the newest. It is gone from the list, and pins of it stop at once. The newest cannot be withdrawn (422)."""
        return self._call("DELETE", path("/api/v2/assistants/{id}/versions/{n}", id=id, n=n), timeout=timeout)

    def get_version(self, id: str, n: int, *, timeout: Optional[float] = None) -> types.Version:
        """Read a saved version."""
        return self._call("GET", path("/api/v2/assistants/{id}/versions/{n}", id=id, n=n), timeout=timeout)

    def restore_version(self, id: str, n: int, *, if_match: Optional[int] = None, timeout: Optional[float] = None) -> types.Assistant:
        """Make a version the newest again, as a new version. Visibility stays as it is: a version that could not be published cannot be restored while the assistant is (422)."""
        return self._call("POST", path("/api/v2/assistants/{id}/versions/{n}/restore", id=id, n=n), headers={"If-Match": if_match}, timeout=timeout)

    def get_balance(self, *, timeout: Optional[float] = None) -> types.Balance:
        """Read your balance."""
        return self._call("GET", "/api/v2/balance", timeout=timeout)

    def get_statement(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, from_: Optional[str] = None, to: Optional[str] = None, timeout: Optional[float] = None) -> types.PageStatement:
        """Read your statement, newest first. Every movement of your tokens, with the balance after it. An entry adds to the balance if its destination is available, and takes from it if its source is. On an unlimited plan generations move none."""
        return self._call("GET", "/api/v2/balance/statement", query={"limit": limit, "cursor": cursor, "from": from_, "to": to}, timeout=timeout)

    def get_statement_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, from_: Optional[str] = None, to: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.Statement]:
        """The items of all pages of :meth:`get_statement`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.get_statement(limit=limit, cursor=cursor, from_=from_, to=to, timeout=timeout))

    def generate(self, body: types.GenerateRequest, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> types.Generation:
        """Generate an answer. Nothing of the conversation is kept. The top level beats params; an unknown field of either is left out and named in warnings. With stream true the answer is a stream of server-sent events; what fails before it opens is an ordinary error, what fails after it is an event of the type error."""
        return self._call("POST", "/api/v2/generate", body=body, headers={"Idempotency-Key": idempotency_key}, timeout=timeout)

    def list_keys(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> types.PageKey:
        """List your keys, newest first."""
        return self._call("GET", "/api/v2/keys", query={"limit": limit, "cursor": cursor}, timeout=timeout)

    def list_keys_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, timeout: Optional[float] = None) -> Iterator[types.Key]:
        """The items of all pages of :meth:`list_keys`, each page asked for when it is needed."""
        return self._all(cursor, lambda cursor: self.list_keys(limit=limit, cursor=cursor, timeout=timeout))

    def create_key(self, body: types.CreateKey, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> types.CreatedKey:
        """Create an API key. The only time that the key is shown. A limit that is absent or null is none. A limited key makes and changes no keys."""
        return self._call("POST", "/api/v2/keys", body=body, headers={"Idempotency-Key": idempotency_key}, timeout=timeout)

    def get_own_key(self, *, timeout: Optional[float] = None) -> types.Key:
        """Read the key of this request. What it is limited to, and what it has spent of its budget. Every key may read itself."""
        return self._call("GET", "/api/v2/keys/me", timeout=timeout)

    def revoke_key(self, id: str, *, timeout: Optional[float] = None) -> None:
        """Revoke a key, at once."""
        return self._call("DELETE", path("/api/v2/keys/{id}", id=id), timeout=timeout)

    def update_key(self, id: str, body: types.UpdateKey, *, timeout: Optional[float] = None) -> types.Key:
        """Change a key's name or limits. Fields that are present are replaced, fields that are absent stay, null lifts a limit. It counts for the next request."""
        return self._call("PATCH", path("/api/v2/keys/{id}", id=id), body=body, timeout=timeout)

    def list_models(self, *, category: Optional[str] = None, timeout: Optional[float] = None) -> types.ItemsModel:
        """List the catalog's models."""
        return self._call("GET", "/api/v2/models", query={"category": category}, timeout=timeout)

    def get_model(self, slug: str, *, timeout: Optional[float] = None) -> types.Model:
        """Read a model."""
        return self._call("GET", path("/api/v2/models/{slug}", slug=slug), timeout=timeout)

    def get_usage(self, *, from_: Optional[str] = None, to: Optional[str] = None, group_by: Optional[Literal["day", "assistant", "version", "model", "key"]] = None, timeout: Optional[float] = None) -> types.Usage:
        """Add up your generations. What was settled before the call is in it. Whole days cost the same however many generations there were."""
        return self._call("GET", "/api/v2/usage", query={"from": from_, "to": to, "group_by": group_by}, timeout=timeout)

    def get_user(self, *, timeout: Optional[float] = None) -> types.User:
        """Read your account."""
        return self._call("GET", "/api/v2/user/me", timeout=timeout)

    def update_user(self, body: types.DisplayName, *, timeout: Optional[float] = None) -> types.User:
        """Change your display name."""
        return self._call("PATCH", "/api/v2/user/me", body=body, timeout=timeout)


