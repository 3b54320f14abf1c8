import { fill, Transport } from "./transport.js";
/** A method for each call. */
export class Operations extends Transport {
    /** List accounts, newest first. For accounts with the role admin; others get 403. */
    adminListAccounts(query = {}, options) {
        return this.call("GET", "/api/v2/admin/accounts", { query, options });
    }
    /** The items of all pages of adminListAccounts, each page asked for when it is needed. */
    adminListAccountsAll(query = {}, options) {
        return this.all(query.cursor, (cursor) => this.adminListAccounts(cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Create an account. For accounts with the role admin; others get 403. */
    adminCreateAccount(body, options) {
        return this.call("POST", "/api/v2/admin/accounts", { body, options });
    }
    /** Read an account. For accounts with the role admin; others get 403. */
    adminGetAccount(id, options) {
        return this.call("GET", fill("/api/v2/admin/accounts/{id}", { id }), { options });
    }
    /** Change an account's name or role. The last admin who is not suspended stays one, and the built-in author of the starter assistants cannot be one (409). For accounts with the role admin; others get 403. */
    adminUpdateAccount(id, body, options) {
        return this.call("PATCH", fill("/api/v2/admin/accounts/{id}", { id }), { body, options });
    }
    /** List an account's keys, newest first. For accounts with the role admin; others get 403. */
    adminListKeys(id, query = {}, options) {
        return this.call("GET", fill("/api/v2/admin/accounts/{id}/keys", { id }), { query, options });
    }
    /** The items of all pages of adminListKeys, each page asked for when it is needed. */
    adminListKeysAll(id, query = {}, options) {
        return this.all(query.cursor, (cursor) => this.adminListKeys(id, cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Read an account's journal, newest first. Every movement of its tokens, with the balance after it. For accounts with the role admin; others get 403. */
    adminListLedger(id, query = {}, options) {
        return this.call("GET", fill("/api/v2/admin/accounts/{id}/ledger", { id }), { query, options });
    }
    /** The items of all pages of adminListLedger, each page asked for when it is needed. */
    adminListLedgerAll(id, query = {}, options) {
        return this.all(query.cursor, (cursor) => this.adminListLedger(id, cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Put an account on a plan. The plan begins now: what is left of the old plan's tokens expires, the new plan's are granted, top-ups stay. An account that is on the plan keeps its month and its tokens, and only the plan's end changes. For accounts with the role admin; others get 403. */
    adminSetPlan(id, body, options) {
        return this.call("PUT", fill("/api/v2/admin/accounts/{id}/plan", { id }), { body, options });
    }
    /** End a suspension. For accounts with the role admin; others get 403. */
    adminResume(id, body, options) {
        return this.call("POST", fill("/api/v2/admin/accounts/{id}/resume", { id }), { body, options });
    }
    /** Suspend an account, at once. Its keys do not work, and its assistants are not listed and of no use to others, pinned or not. The last admin cannot be suspended (409). For accounts with the role admin; others get 403. */
    adminSuspend(id, body, options) {
        return this.call("POST", fill("/api/v2/admin/accounts/{id}/suspend", { id }), { body, options });
    }
    /** Add tokens that do not expire. With an Idempotency-Key, a repetition adds nothing and answers with the account as it is. For accounts with the role admin; others get 403. */
    adminTopup(id, body, options) {
        return this.call("POST", fill("/api/v2/admin/accounts/{id}/topups", { id }), { body, options });
    }
    /** Read anyone's assistant, to judge it. With its instructions, if it is or was public, is reported or taken down. Each time is in the audit trail. For accounts with the role admin; others get 403. */
    adminGetAssistant(id, query = {}, options) {
        return this.call("GET", fill("/api/v2/admin/assistants/{id}", { id }), { query, options });
    }
    /** Let a taken-down assistant be published again. It stays private until its author publishes it; a starter assistant is published at once. For accounts with the role admin; others get 403. */
    adminAllowAssistant(id, body, options) {
        return this.call("POST", fill("/api/v2/admin/assistants/{id}/allow", { id }), { body, options });
    }
    /** Read an assistant's reports, newest first. For accounts with the role admin; others get 403. */
    adminListAssistantReports(id, query = {}, options) {
        return this.call("GET", fill("/api/v2/admin/assistants/{id}/reports", { id }), { query, options });
    }
    /** The items of all pages of adminListAssistantReports, each page asked for when it is needed. */
    adminListAssistantReportsAll(id, query = {}, options) {
        return this.all(query.cursor, (cursor) => this.adminListAssistantReports(id, cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Dismiss an assistant's open reports. The assistant stays as it is. For accounts with the role admin; others get 403. */
    adminDismissReports(id, body, options) {
        return this.call("POST", fill("/api/v2/admin/assistants/{id}/reports/dismiss", { id }), { body, options });
    }
    /** Take anyone's assistant down. It leaves the marketplace, and pins of all its versions stop at once. Its open reports are upheld. Its author finds a new, private version, reads the reason, and cannot publish it until an operator allows that. For accounts with the role admin; others get 403. */
    adminUnpublishAssistant(id, body, options) {
        return this.call("POST", fill("/api/v2/admin/assistants/{id}/unpublish", { id }), { body, options });
    }
    /** Read the audit trail, newest first. Who did what to what, when and from where. hash covers an entry and all before it. For accounts with the role admin; others get 403. */
    adminListAudit(query = {}, options) {
        return this.call("GET", "/api/v2/admin/audit", { query, options });
    }
    /** The items of all pages of adminListAudit, each page asked for when it is needed. */
    adminListAuditAll(query = {}, options) {
        return this.all(query.cursor, (cursor) => this.adminListAudit(cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Find keys by how they begin. The first 8 characters of a key that leaked say whose it is. For accounts with the role admin; others get 403. */
    adminFindKeys(query, options) {
        return this.call("GET", "/api/v2/admin/keys", { query, options });
    }
    /** The items of all pages of adminFindKeys, each page asked for when it is needed. */
    adminFindKeysAll(query, options) {
        return this.all(query.cursor, (cursor) => this.adminFindKeys(cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Revoke anyone's key, at once. For accounts with the role admin; others get 403. */
    adminRevokeKey(id, options) {
        return this.call("DELETE", fill("/api/v2/admin/keys/{id}", { id }), { options });
    }
    /** See providers, their models and their health. Which are configured, what switches the others on, and how calls of this node went since it started. For accounts with the role admin; others get 403. */
    adminListProviders(options) {
        return this.call("GET", "/api/v2/admin/providers", { options });
    }
    /** List reported assistants. Those with open reports, the one that has waited longest first; or with reports that were decided on, the last decision first. For accounts with the role admin; others get 403. */
    adminListReports(query = {}, options) {
        return this.call("GET", "/api/v2/admin/reports", { query, options });
    }
    /** The items of all pages of adminListReports, each page asked for when it is needed. */
    adminListReportsAll(query = {}, options) {
        return this.all(query.cursor, (cursor) => this.adminListReports(cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Add up everyone's generations. In whole days, UTC: those that the range touches. What was settled is in it within two seconds. For accounts with the role admin; others get 403. */
    adminGetUsage(query = {}, options) {
        return this.call("GET", "/api/v2/admin/usage", { query, options });
    }
    /** List your assistants, newest first. */
    listAssistants(query = {}, options) {
        return this.call("GET", "/api/v2/assistants", { query, options });
    }
    /** The items of all pages of listAssistants, each page asked for when it is needed. */
    listAssistantsAll(query = {}, options) {
        return this.all(query.cursor, (cursor) => this.listAssistants(cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Create an assistant. */
    createAssistant(body, options) {
        return this.call("POST", "/api/v2/assistants", { body, options });
    }
    /** Create an assistant with its saved versions. The versions, the oldest first, keep their numbers, notes and dates; the last one is the newest. The assistant has an id of its own. A version that is public is checked as one that is published. */
    importAssistant(body, options) {
        return this.call("POST", "/api/v2/assistants/import", { body, options });
    }
    /** List or search published assistants. Without q, in the order that sort names: popular goes by how many different accounts used an assistant in the last 30 days, as counted every ten minutes, and what is not counted yet stands behind, newest first. A cursor of popular, or of a search, is good for an hour; then 400 bad_request says to start again. */
    listMarketplace(query = {}, options) {
        return this.call("GET", "/api/v2/assistants/marketplace", { query, options });
    }
    /** The items of all pages of listMarketplace, each page asked for when it is needed. */
    listMarketplaceAll(query = {}, options) {
        return this.all(query.cursor, (cursor) => this.listMarketplace(cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** List the categories with how many assistants each has. */
    listCategories(options) {
        return this.call("GET", "/api/v2/assistants/marketplace/categories", { options });
    }
    /** Delete an assistant. */
    deleteAssistant(id, options) {
        return this.call("DELETE", fill("/api/v2/assistants/{id}", { id }), { options });
    }
    /** Read an assistant. Your own with all its fields, or the public view of a published one of another account. */
    getAssistant(id, options) {
        return this.call("GET", fill("/api/v2/assistants/{id}", { id }), { options });
    }
    /** Update an assistant. Fields that are present are replaced, fields that are absent stay, null clears an optional one. What changes something makes a version. */
    updateAssistant(id, body, options) {
        return this.call("PUT", fill("/api/v2/assistants/{id}", { id }), { body, options });
    }
    /** Copy an assistant to make one of your own from it. A published assistant that is copyable, or any of your own. The copy is private, with the fields of the newest version or of the one that you name; its metadata names that version as copied_from, and nothing else. Of an assistant that is not copyable the author keeps the instructions to themselves (403). */
    copyAssistant(id, body, options) {
        return this.call("POST", fill("/api/v2/assistants/{id}/copy", { id }), { body, options });
    }
    /** List an assistant's labels by name. */
    listLabels(id, options) {
        return this.call("GET", fill("/api/v2/assistants/{id}/labels", { id }), { options });
    }
    /** Delete a label: calls of it stop at once. */
    deleteLabel(id, label, options) {
        return this.call("DELETE", fill("/api/v2/assistants/{id}/labels/{label}", { id, label }), { options });
    }
    /** Make or move a label. asst_…@LABEL then calls that version, on every node, from the next request on. A split divides calls by weight: by a hash of user, so that one person stays on one version, and by chance without. */
    setLabel(id, label, body, options) {
        return this.call("PUT", fill("/api/v2/assistants/{id}/labels/{label}", { id, label }), { body, options });
    }
    /** Report an assistant to the operators. One that is published, or has versions that others may pin. An account has one open report for each assistant: another one replaces it (200), and takes its place. Once operators have decided on it it stays (409) until the assistant has a newer public version. The author does not learn who reported. An account may have 100 open reports (422). */
    reportAssistant(id, body, options) {
        return this.call("POST", fill("/api/v2/assistants/{id}/reports", { id }), { body, options });
    }
    /** See how much others use an assistant of yours. */
    getUses(id, options) {
        return this.call("GET", fill("/api/v2/assistants/{id}/uses", { id }), { options });
    }
    /** List an assistant's versions, newest first. */
    listVersions(id, query = {}, options) {
        return this.call("GET", fill("/api/v2/assistants/{id}/versions", { id }), { query, options });
    }
    /** The items of all pages of listVersions, each page asked for when it is needed. */
    listVersionsAll(id, query = {}, options) {
        return this.all(query.cursor, (cursor) => this.listVersions(id, cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Withdraw a version that is not the newest. It is gone from the list, and pins of it stop at once. The newest cannot be withdrawn (422). */
    withdrawVersion(id, n, options) {
        return this.call("DELETE", fill("/api/v2/assistants/{id}/versions/{n}", { id, n }), { options });
    }
    /** Read a saved version. */
    getVersion(id, n, options) {
        return this.call("GET", fill("/api/v2/assistants/{id}/versions/{n}", { id, n }), { options });
    }
    /** Make a version the newest again, as a new version. Visibility stays as it is: a version that could not be published cannot be restored while the assistant is (422). */
    restoreVersion(id, n, options) {
        return this.call("POST", fill("/api/v2/assistants/{id}/versions/{n}/restore", { id, n }), { options });
    }
    /** Read your balance. */
    getBalance(options) {
        return this.call("GET", "/api/v2/balance", { options });
    }
    /** Read your statement, newest first. Every movement of your tokens, with the balance after it. An entry adds to the balance if its destination is available, and takes from it if its source is. On an unlimited plan generations move none. */
    getStatement(query = {}, options) {
        return this.call("GET", "/api/v2/balance/statement", { query, options });
    }
    /** The items of all pages of getStatement, each page asked for when it is needed. */
    getStatementAll(query = {}, options) {
        return this.all(query.cursor, (cursor) => this.getStatement(cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Generate an answer. Nothing of the conversation is kept. The top level beats params; an unknown field of either is left out and named in warnings. With stream true the answer is a stream of server-sent events; what fails before it opens is an ordinary error, what fails after it is an event of the type error. */
    generate(body, options) {
        return this.call("POST", "/api/v2/generate", { body, options });
    }
    /** List your keys, newest first. */
    listKeys(query = {}, options) {
        return this.call("GET", "/api/v2/keys", { query, options });
    }
    /** The items of all pages of listKeys, each page asked for when it is needed. */
    listKeysAll(query = {}, options) {
        return this.all(query.cursor, (cursor) => this.listKeys(cursor === undefined ? query : { ...query, cursor }, options));
    }
    /** Create an API key. The only time that the key is shown. A limit that is absent or null is none. A limited key makes and changes no keys. */
    createKey(body, options) {
        return this.call("POST", "/api/v2/keys", { body, options });
    }
    /** Read the key of this request. What it is limited to, and what it has spent of its budget. Every key may read itself. */
    getOwnKey(options) {
        return this.call("GET", "/api/v2/keys/me", { options });
    }
    /** Revoke a key, at once. */
    revokeKey(id, options) {
        return this.call("DELETE", fill("/api/v2/keys/{id}", { id }), { options });
    }
    /** Change a key's name or limits. Fields that are present are replaced, fields that are absent stay, null lifts a limit. It counts for the next request. */
    updateKey(id, body, options) {
        return this.call("PATCH", fill("/api/v2/keys/{id}", { id }), { body, options });
    }
    /** List the catalog's models. */
    listModels(query = {}, options) {
        return this.call("GET", "/api/v2/models", { query, options });
    }
    /** Read a model. */
    getModel(slug, options) {
        return this.call("GET", fill("/api/v2/models/{slug}", { slug }), { options });
    }
    /** Add up your generations. What was settled before the call is in it. Whole days cost the same however many generations there were. */
    getUsage(query = {}, options) {
        return this.call("GET", "/api/v2/usage", { query, options });
    }
    /** Read your account. */
    getUser(options) {
        return this.call("GET", "/api/v2/user/me", { options });
    }
    /** Change your display name. */
    updateUser(body, options) {
        return this.call("PATCH", "/api/v2/user/me", { body, options });
    }
}
