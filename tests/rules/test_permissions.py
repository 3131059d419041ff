"""Who may do what: what has to hold of the table, whatever it says; each page is held to it in the contracts."""

from portal.rules.permissions import EVERYDAY, GRANTS, Permission, RoleName, allows, openers


def test_an_admin_may_everything_and_nobody_without_a_role_anything():
    for permission in Permission:
        assert allows([RoleName.ADMIN], permission)
        assert not allows([], permission)


def test_whoever_works_here_may_look_and_only_an_admin_decides_who_works_here():
    assert openers([Permission.LOOK]) == list(RoleName)
    for permission in (Permission.ROLES, Permission.SETTINGS, Permission.JOURNAL, Permission.ARCHIVE):
        assert openers([permission]) == [RoleName.ADMIN]


def test_several_roles_may_what_any_of_them_may():
    both = {
        permission for permission in Permission if allows([RoleName.GROWING, RoleName.ACCOUNTS], permission)
    }
    assert both == GRANTS[RoleName.GROWING] | GRANTS[RoleName.ACCOUNTS]
    assert openers([Permission.COMPOSE, Permission.PRICES]) == [
        RoleName.GROWING,
        RoleName.ACCOUNTS,
        RoleName.ADMIN,
    ]


def test_a_farm_of_three_lacks_nothing_of_a_usual_week():
    """Whoever has every everyday role may all but what is an admin's own."""
    rare = {permission for permission in Permission if not allows(EVERYDAY, permission)}
    assert rare == {Permission.ROLES, Permission.SETTINGS, Permission.JOURNAL, Permission.ARCHIVE}
