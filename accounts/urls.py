"""Addresses of log-in, accounts, tokens and teachers."""

from django.urls import include, path, re_path

from accounts import api, views
from accounts.routers import Router

router = Router()
router.register("teachers", api.TeacherViewSet, basename="teacher")

urlpatterns = [
    re_path(r"^auth/login/?$", api.LoginView.as_view(), name="auth-login"),
    re_path(r"^auth/refresh/?$", api.RefreshView.as_view(), name="auth-refresh"),
    re_path(r"^auth/logout/?$", api.LogoutView.as_view(), name="auth-logout"),
    re_path(r"^auth/me/?$", api.MeView.as_view(), name="auth-me"),
    re_path(r"^accounts/login/?$", views.LoginView.as_view(), name="login"),
    re_path(r"^accounts/logout/?$", views.LogoutView.as_view(), name="logout"),
    path(
        "accounts/password-reset/",
        views.PasswordResetView.as_view(),
        name="password_reset",
    ),
    path(
        "accounts/password-reset/sent/",
        views.PasswordResetDoneView.as_view(),
        name="password_reset_done",
    ),
    path(
        "accounts/password-reset/<uidb64>/<token>/",
        views.PasswordResetConfirmView.as_view(),
        name="password_reset_confirm",
    ),
    path("app/account/", views.account, name="account"),
    path("app/account/password/", views.PasswordChangeView.as_view(), name="password"),
    path(
        "app/account/sign-out-everywhere/",
        views.sign_out_everywhere,
        name="sign-out-everywhere",
    ),
    path("", include(router.urls)),
]
