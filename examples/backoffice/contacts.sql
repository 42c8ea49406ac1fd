-- The intended set: one flattened row per contact person, identical rows collapsed.
-- The two registrations are joined independently of each other: without one the row stays and
-- its reference is empty. Runs as printed on SQLite, PostgreSQL and MariaDB.
select distinct
       ctt.ctt_id
,      ctt.email
,      ctt.date_created
,      ctt.work_phone
,      ctt.given_name
,      ctt.family_name
,      cttmap.contact_id
,      actmap.account_id as organization
,      actmap.account_id as org_id
,      act.org_country
,      ctt.language_code
,      ctt.mobile_phone
,      ctt.updated_at
from   contacts ctt
left
outer
join   organisations act
on     act.act_id = ctt.act_id
left
outer
join   marketing_contacts cttmap
on     cttmap.ctt_id = ctt.ctt_id
left
outer
join   marketing_accounts actmap
on     actmap.act_id = ctt.act_id
where  ctt.deleted_at is null
